#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The demonstration, in a guest: clients, a balancer and two nodes that run a real
# DTLS 1.2 stack.  Each scene plays the same three cases under other rules.
# Exits with 0 when every case ended as this script says it does.
. lib.sh
. ./peers.sh

port=5684
patience=2000 # ms that a client waits for an answer
last_port=40000
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
	printf '%-51s %-7s  %s  %s\n' "$1" "$rules" "IPv$f" "$result" >> summary
	[ "$result" = "$2" ] && return
	echo "  --> NOT what this demonstration says: $2"
	surprises=$((surprises + 1))
}

# The rules.

u32_rules() {
	for k in 1 2; do
		typed "$tables" -t nat -A PREROUTING -d "$vip" -p udp --dport $port -m u32 --u32 "0>>22&0x3C@8>>8=0x19FEFD && 0>>22&0x3C@16&0xFF=$k" -j DNAT --to-destination "$(node $k)"
	done
	typed "$tables" -t nat -A PREROUTING -d "$vip" -p udp --dport $port -m statistic --mode nth --every 2 --packet 0 -j DNAT --to-destination "$(node 1)"
	typed "$tables" -t nat -A PREROUTING -d "$vip" -p udp --dport $port -j DNAT --to-destination "$(node 2)"
	typed sysctl -qw net.netfilter.nf_conntrack_udp_timeout=15 net.netfilter.nf_conntrack_udp_timeout_stream=15
}

# The kernel's own timeouts again: the rule has its own.
DTLSCID_rules() {
	sysctl -qw net.netfilter.nf_conntrack_udp_timeout=30 net.netfilter.nf_conntrack_udp_timeout_stream=120
	typed "$tables" -t raw -A PREROUTING -d "$vip" -p udp --dport $port -j DTLSCID --node 1="$(node 1)" --node 2="$(node 2)" --cid-length 6
}

u32_counters() {
	typed "$tables" -t nat -nvL PREROUTING > counters
	cut -c -150 counters
}

DTLSCID_counters() {
	typed cat /proc/net/xt_dtlscid/dtlscid
}

# entries [OPTION...]: the clients' flow entries.
entries() {
	typed conntrack -L -f "ipv$f" -p udp --orig-dst "$vip" "$@" 2> /dev/null
}

forget_flows() {
	conntrack -D -p udp > /dev/null 2>&1
}

# The cases.  No client has a port that another had, but where that is the case.

fresh_port() { last_port=$((last_port + 1)); }

# scripted: a client that does what stands on standard input.
scripted() {
	fresh_port
	on client ./dtls-peer client --bind "$client" "$last_port" --wait $patience "$vip" $port > client.log 2>&1
}

# count WORD FILE...: lines that begin with it.
count() {
	word=$1
	shift
	cat "$@" | grep -c "^$word"
}

# Case 1: a session, and a client whose port and then address changes.
moving_client() {
	cat > commands <<-END
	connect
	say hello
	move $client $((last_port + 2))
	say after a change of port
	move $client2 $((last_port + 3))
	say after a change of address
	END
	scripted < commands
	last_port=$((last_port + 2))
	shown < client.log
	if [ "$(count answer client.log)" = 3 ] && [ "$(count handshake client.log)" = 1 ]; then
		result=works detail='the session goes on, no new handshake'
	else
		result=FAILS detail="answers lost: $(count timeout client.log)"
	fi
}

dropped() { [ "$(packets "$tables" mangle FORWARD loss)" -gt 0 ]; }

# Case 2: the answer to the client's last flight is lost, and the flow entry
# goes: the client's NAT or the balancer has started anew.  What the client
# repeats is one datagram of three records, and only the third has a CID.
last_flight_again() {
	"$tables" -t mangle -A FORWARD -p udp --sport $port -m dtlscid --record other -m comment --comment loss -j DROP
	printf '%s\n' connect 'say hello' > commands
	scripted < commands &
	wait_for 5 dropped
	forget_flows # first: what the client repeats must not find the flow
	"$tables" -t mangle -F
	wait $!
	fresh_port # that of the background shell
	shown < client.log
	if grep -q '^answer' client.log; then
		result=works detail='the handshake completes'
	else
		result=FAILS detail='the handshake never ends'
	fi
}

# device NAME K: one whose handshake came to node K, which is known only afterwards.
device() {
	for try in $(seq 30); do
		fresh_port
		start_client "$1" dtls-peer --bind "$client" "$last_port" --wait $patience "$vip" $port
		printf '%s\n' local connect 'say hello' | tell_all "$1"
		wait_for 20 told "$1" 1
		[ "$(home "$1")" != "$2" ] || return 0
		stop_client "$1"
	done
	echo "no handshake came to node $2 in $try tries"
}

# tell_all NAME: what stands on standard input.
tell_all() {
	while read -r line; do
		tell "$1" "$line"
	done
}

# moves NAME PORT TEXT
moves() {
	printf '%s\n' "move $client $2" local "say $3" | tell_all "$1"
	wait_for 20 told "$1" 2
}

# Case 3: a NAT gives a device's port to another device, of the other node, while the
# flow entry lives.
left_port() {
	device A 1
	left=$last_port
	device B 2
	fresh_port
	moves A $last_port "from another port"
	moves B $left "from the port that A left"
	stop_client A
	stop_client B
	sed 's/^/A: /' A.log | shown
	sed 's/^/B: /' B.log | shown
	grep "^unknown-cid $(sed -n 's/^handshake .* cid //p' B.log)" node1.log node2.log | shown
	if [ "$(count answer A.log B.log)" = 4 ] && [ "$(count handshake A.log B.log)" = 2 ]; then
		result=works detail='both sessions go on, no new handshake'
	else
		result=FAILS detail="answers lost: $(count timeout A.log B.log)"
	fi
}

# scene 4|6 u32|DTLSCID EXPECTED EXPECTED EXPECTED
scene() {
	family "$1"
	f=$1 rules=$2
	"${rules}_rules"
	say "A session; then the client's port changes, then its address:"
	moving_client
	outcome "client changes its address" "$3"
	entries
	say "A handshake whose last flight is repeated after the flow entry was lost:"
	last_flight_again
	outcome "CID in a later record" "$4"
	say "A is a client of node 1, B of node 2, behind the same NAT. It gives A another port, and B the one that A had:"
	left_port
	outcome "client takes a port that another node's client left" "$5"
	entries --orig-src "$client" --sport $left
	"${rules}_counters"
	"$tables" -t nat -F # the one rule stays: its totals are those of both families
	forget_flows
}

family 4
say "Clients at $client and $client2, a balancer that is the service $vip:$port, behind it the nodes 1 and 2 at $(node 1) and $(node 2); and the same in IPv6. They are network namespaces of one machine with Linux $(uname -r) and $(iptables --version). Clients and nodes speak DTLS 1.2 with mbedTLS. The nodes issue CIDs of 6 bytes, the first of which is the node's id: so a datagram tells who has its keys, wherever it comes from."
topology 2
tcpdump --immediate-mode -U -q -s 0 -w "$OUT/demo.pcap" -i client udp port $port 2> tcpdump.log &
capture=$!
wait_for 10 grep -q listening tcpdump.log
start_nodes 2 dtls-peer $port

title "1. What the wiki's u32 rules do, IPv4"
scene 4 u32 works FAILS FAILS
say "u32 looks at a fixed place: the last flight begins with a ClientKeyExchange, so it is not seen to have a CID, and goes to whichever node is next. And the nat table is asked about the first datagram of a flow only: as long as A's entry lives, and B's own datagrams keep it alive, all that comes from this port goes to A's node, whatever its CID."

title "2. The u32 rules, IPv6"
scene 6 u32 FAILS FAILS FAILS
say "The wiki's expression counts IPv4 header lengths; under ip6tables it finds no CID."

title "3. One rule, -j DTLSCID, IPv4"
scene 4 DTLSCID works works works
say "Each datagram is read, and has the entry of its node: a client has one for each node that it talks to, in that node's zone. They end after 15 s, answered ones that go on after 100 s (--timeout), while the machine's other flows keep their own timeouts."

title "4. The same rule, IPv6"
scene 6 DTLSCID works works works

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
