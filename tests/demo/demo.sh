#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The demonstration, in a guest: a client, a balancer and two nodes that run a
# real DTLS 1.2 stack.  Each scene plays the same two cases under other rules.
# Exits with 0 when every case ended as this script says it does.
. lib.sh

port=5684
surprises=0
known_strays=0

say() { printf '\n%s\n' "$*" | fold -s -w 78; }
title() { printf '\n\n=== %s\n' "$*"; }
shown() { sed 's/^/    /'; }

# quoted WORD...: as a person would type it.
quoted() {
	for word; do
		case $word in
		*[!A-Za-z0-9_.:/=,+-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	echo
}

# typed COMMAND...: show it, then do it.
typed() {
	echo "  #$(quoted "$@")"
	"$@"
}

# outcome CASE EXPECTED: what $result is, next to what this script says of it.
outcome() {
	strays=$(cat node1.log node2.log | grep -c '^unknown-cid')
	[ "$strays" -eq "$known_strays" ] ||
		detail="$detail; datagrams at a node without the keys: $((strays - known_strays))"
	known_strays=$strays
	echo "  --> $1: $result ($detail)"
	printf '%-26s %-8s %-5s %s\n' "$1" "$match" "IPv$f" "$result" >> summary
	[ "$result" = "$2" ] && return
	echo "  --> NOT what this demonstration says: $2"
	surprises=$((surprises + 1))
}

start_nodes() {
	for k in 1 2; do
		: > node$k.log
		on node$k ./dtls-peer server --node $k --cid-length 6 :: $port >> node$k.log &
		wait_for 10 grep -q listening node$k.log
	done
}

# New handshakes alternate between the nodes.
spread() {
	typed "$tables" -t nat -A PREROUTING -p udp --dport $port -m statistic --mode nth --every 2 --packet 0 -j DNAT --to-destination "$(node 1)"
	typed "$tables" -t nat -A PREROUTING -p udp --dport $port -j DNAT --to-destination "$(node 2)"
}

u32_rules() {
	for k in 1 2; do
		typed "$tables" -t nat -A PREROUTING -p udp --dport $port -m u32 --u32 "0>>22&0x3C@8>>8=0x19FEFD && 0>>22&0x3C@16&0xFF=$k" -j DNAT --to-destination "$(node $k)"
	done
	spread
}

dtlscid_rules() {
	for k in 1 2; do
		typed "$tables" -t nat -A PREROUTING -p udp --dport $port -m dtlscid --node-id $k -j DNAT --to-destination "$(node $k)"
	done
	spread
}

forget_flows() {
	conntrack -D -p udp > /dev/null 2>&1
}

# Case 1: a session, and a client whose port and then address changes.
moving_client() {
	cat > commands <<-END
	connect
	say hello
	move
	say after a change of port
	move $client2
	say after a change of address
	END
	on client ./dtls-peer client "$vip" $port < commands > client.log 2>&1
	shown < client.log
	if [ "$(grep -c '^answer' client.log)" = 3 ] && [ "$(grep -c '^handshake ' client.log)" = 1 ]; then
		result=works detail='the session goes on, no new handshake'
	else
		result=FAILS detail="answers lost: $(grep -c '^timeout' client.log)"
	fi
}

dropped() { [ "$(packets "$tables" mangle FORWARD loss)" -gt 0 ]; }

# Case 2: the answer to the client's last flight is lost, and the flow entry
# goes: the client's NAT or the balancer has started anew.  What the client
# repeats is one datagram of three records, and only the third has a CID.
last_flight_again() {
	"$tables" -t mangle -A FORWARD -p udp --sport $port -m dtlscid --record other -m comment --comment loss -j DROP
	printf '%s\n' connect 'say hello' > commands
	on client ./dtls-peer client "$vip" $port < commands > client.log 2>&1 &
	wait_for 5 dropped
	forget_flows # first: what the client repeats must not find the flow
	"$tables" -t mangle -F
	wait $!
	shown < client.log
	if grep -q '^answer' client.log; then
		result=works detail='the handshake completes'
	else
		result=FAILS detail='the handshake never ends'
	fi
}

counters() {
	typed "$tables" -t nat -nvL PREROUTING > counters
	cut -c -150 counters
	typed conntrack -L -f "ipv$f" -p udp --orig-dst "$vip" 2> /dev/null
}

# scene 4|6 u32|dtlscid EXPECTED EXPECTED
scene() {
	family "$1"
	f=$1 match=$2
	"${match}_rules"
	say "A session; then the client's port changes, then its address:"
	moving_client
	outcome 'client changes its address' "$3"
	counters
	say "A handshake whose last flight is repeated after the flow entry was lost:"
	last_flight_again
	outcome 'CID in a later record' "$4"
	"$tables" -t nat -F
	forget_flows
}

family 4
say "A client at $client, a balancer that is the service $vip:$port, behind it the nodes 1 and 2 at $(node 1) and $(node 2); and the same in IPv6. They are network namespaces of one machine with Linux $(uname -r) and $(iptables --version). Client and nodes speak DTLS 1.2 with mbedTLS; the nodes issue CIDs of 6 bytes, the first of which is the node's id."
topology 2
tcpdump --immediate-mode -U -q -s 0 -w "$OUT/demo.pcap" -i client udp port $port 2> tcpdump.log &
capture=$!
wait_for 10 grep -q listening tcpdump.log
start_nodes

title "1. What the wiki's u32 rules do, IPv4"
scene 4 u32 works FAILS
say "u32 looks at a fixed place: the last flight begins with a ClientKeyExchange, so it is not seen to have a CID, and goes to whichever node is next."

title "2. The u32 rules, IPv6"
scene 6 u32 FAILS FAILS
say "The wiki's expression counts IPv4 header lengths; under ip6tables it finds no CID."

title "3. -m dtlscid, IPv4"
scene 4 dtlscid works works

title "4. -m dtlscid, IPv6: the same rules"
scene 6 dtlscid works works

kill $capture
wait $capture 2> /dev/null
cp client.log node1.log node2.log summary "$OUT"

title "Summary"
cat summary
echo
if [ $surprises -gt 0 ]; then
	echo "demo: FAILED, $surprises cases did not end as said above"
	exit 1
fi
echo "demo: OK, $(wc -l < summary) cases ended as said above"
