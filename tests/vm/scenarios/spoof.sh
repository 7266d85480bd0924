#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: who knows the node ids, and the clients' addresses, but no keys, and forges
# any sender, at full rate: no session loses anything, and entries and memory have a bound.
# flood.sh is about the limit itself.
#
# In $OUT/spoof.tsv: CONTENDER FORGED ENTRIES, for IPv4.
. lib.sh

limit=4096
per_entry=512	# bytes of memory at most, which a row below holds against what is measured

# A node answers only what has its keys, here four bytes of a record's body, at offset 27
# of the datagram.  The forger has not.
keys=a0a1a2a3
no_keys() { cid12 "$1" | sed "s/$keys/00000000/"; }

only_with_keys() {
	case $f in 4) at="0>>22&0x3C@35" ;; 6) at=75 ;; esac
	for k in 1 2 3; do
		on node$k "$tables" -t raw -A PREROUTING -p udp --dport "$port" \
			-m u32 ! --u32 "$at=0x$keys" -j DROP
	done
}

# Datagrams that are nobody's: cut short, of no kind, with CIDs of two nodes.
cut_short=$(cid12 1 | cut -c 1-60)
junk=ff$client_hello
mixed=$(no_keys 1)$(no_keys 2)

# forged COUNT FROM HEX...: from ten ports of an address, from 40001 on, then of the next one.
forged() {
	count=$1 from=$2
	shift 2
	on client forge udp -n "$count" -p 10 "$from" 40001 "$vip" "$port" "$@"
}

# as_clients HEX...: from the sessions' own addresses and ports, again and again, and then
# from so many addresses beside theirs.
as_clients() {
	for _ in $(seq 30); do
		for hex; do forged 10 "$client" "$hex"; done
	done
	forged "$many" "$client" "$@"
}

# Each attack is named for whom or what it forges.

strangers() { forged $((5 * many)) "$first" "$(no_keys 1)" "$(no_keys 2)" "$(no_keys 3)"; }

# So each of their ports has flows to all nodes.
clients() { as_clients "$(no_keys 1)" "$(no_keys 2)" "$(no_keys 3)"; }

handshakes() { as_clients "$client_hello" "$no_cid"; }

malformed() { as_clients "$cut_short" "$junk" "$mixed"; }

# error COUNT TYPE CODE REST
error() {
	on client forge icmp -n "$1" -p 10 "$client2" "$vip" "$2" "$3" "$4" "$vip" "$port" "$client" 40001
}

errors() {
	case $f in
	4) unreachable="3 3 0" big="3 4 600" ;;
	6) unreachable="1 4 0" big="2 0 1300" ;;
	esac
	# shellcheck disable=SC2086 # type, code and rest
	for kind in "$unreachable" "$big"; do
		for _ in $(seq 30); do error 10 $kind; done
		error "$many" $kind
	done
}

# Nodes, which is done where they are, as what comes from elsewhere has no way back.
answers() {
	for k in 1 2 3; do
		for _ in $(seq 10); do
			on node3 forge udp -d -n 10 -p 10 "$(node "$k")" "$port" "$client" 40001 "$no_cid"
		done
		on node3 forge udp -d -n "$many" -p 10000 "$(node "$k")" "$port" "$client2" 40001 "$no_cid"
	done
}

# Ten sessions, of port 40001 and on: how many datagrams, how many of them lost, a line each.
talk() {
	for i in $(seq 10); do
		k=$((i % 3 + 1))
		ip netns exec client udp talk -s "$client" -p $((40000 + i)) -t 5000 \
			"$vip" "$port" "$(cid12 $k)" "node$k" > "talk.$i" &
		talking="$talking $!"
	done
}
talking=

# shellcheck disable=SC2086 # numbers
silent() {
	{ kill $talking; wait $talking; } 2> ended
	talking=
}

# The sessions' flows: zone, port, conntrack's id.
sessions() {
	conntrack -L -f "ipv$f" -p udp -o id 2> listed | grep ASSURED |
		sed -n 's/^[^=]* src=[^ ]* dst=[^ ]* sport=\(400[01][0-9]\) .* zone-orig=\([0-9]*\) .* id=\([0-9]*\)$/\2 \1 \3/p' | sort
}

ten() { [ "$(sessions | wc -l)" -eq 10 ]; }

# beside: how many flows the sessions' ports have.
beside() { flows "-$f" -z 1000:1999 | grep -c " orig=$client 400\(0[1-9]\|10\) "; }

# attack NAME: what the sessions lose meanwhile; $now is the most entries of ours, $theirs of
# the sessions' ports.
attack() {
	now=0 theirs=0
	talk
	"$1" &
	attack=$!
	while kill -0 $attack 2> ended; do
		n=$(ours)
		[ "$n" -le "$now" ] || now=$n
		n=$(beside)
		[ "$n" -le "$theirs" ] || theirs=$n
		sleep 0.3
	done
	wait $attack
	silent
	is "IPv$f: forged $1: of $(cat talk.* | awk '{ n += $1 } END { print n }') datagrams of sessions, lost" \
		"$(cat talk.* | awk '{ n += $2 } END { print n, NR }')" "0 10"
	check "IPv$f: forged $1: each session spoke" test "$(cat talk.* | awk '$1 >= 5' | wc -l)" -eq 10
	is "IPv$f: forged $1: the sessions have the flows that they had" "$(sessions)" "$(cat had)"
}

counted() { counts "$name" | sed -n "s/^$1=//p"; }

# Of each attack something has come to where it was to come.
all_came() {
	for reason in max-flows cid12 client-hello no-cid malformed not-dtls mixed; do
		check "IPv$f: $reason: $(counted $reason)" test "$(counted $reason)" -gt 10
	done
	for kind in icmp-errors node-first; do
		text=$(sed -n "s/^$kind //p" "/proc/net/xt_dtlscid/$name")
		check "IPv$f: $kind $text" test "$(echo "$text" | tr -dc '0-9 ' | awk '{ print $1 + $2 + $3 }')" -gt 100
	done
}

only_sessions() { [ "$(ours)" -le 10 ]; }

spoofed() {
	name=spoofed$f
	# shellcheck disable=SC2046 # words
	balance "$name" $(first_nodes 3) --cid-length 6 --max-flows $limit --timeout 100,4
	serve_names 3
	only_with_keys
	most=0
	talk
	check "IPv$f: ten sessions" wait_for 30 ten
	silent
	sessions > had
	for kind in strangers clients handshakes malformed errors answers; do
		attack $kind
		[ $kind != clients ] || is "IPv$f: the sessions' ports had flows to all nodes" "$theirs" 30
		[ "$now" -le "$most" ] || most=$now
		wait_for 30 only_sessions
	done
	all_came
	check "IPv$f: at most $limit entries, the limit: $most" test "$most" -le $limit
	check "IPv$f: the forged flows go by themselves" wait_for 30 only_sessions
	is "IPv$f: a client with a new port comes to its node" "$(who_answers "$client" 50000 2)" "$(from_service 2)"
	forget
}

slab() { awk '/^Slab:/ { print 1024 * $2 }' /proc/meminfo; }

# When all queues are empty again.
memory() {
	name=memory$f
	# shellcheck disable=SC2046
	balance "$name" $(first_nodes 3) --max-flows $((5 * limit)) --timeout 100,100
	was=$(slab)
	on client forge udp -n $((5 * limit)) "$first" 40001 "$vip" "$port" "$(no_keys 1)"
	wait_for 30 judged "$name" $((5 * limit))
	sleep 1
	each=$((($(slab) - was) / $(entries)))
	check "IPv$f: $(entries) entries take at most $per_entry bytes each: $each" \
		test $each -le $per_entry -a $each -gt 200
	forget
}

# grow CONTENDER: entries, as strangers come.
grow() {
	for n in $(seq 0 2000 40000); do
		printf '%s\t%s\t%s\n' "$1" "$n" "$(entries)" >> "$OUT/spoof.tsv"
		on client forge udp -n 2000 "10.$((n / 2000)).0.1" 40001 "$vip" "$port" \
			"$(no_keys 1)" "$(no_keys 2)" "$(no_keys 3)"
	done
	forget
}

# What the wiki has, next to it.
figure() {
	for k in 1 2 3; do
		iptables -t nat -A PREROUTING -d "$vip" -p udp --dport "$port" \
			-m u32 --u32 "0>>22&0x3C@8>>8=0x19FEFD && 0>>22&0x3C@16&0xFF=$k" \
			-j DNAT --to-destination "$(node "$k")"
	done
	grow u32
	# shellcheck disable=SC2046 # words
	balance figure $(first_nodes 3) --max-flows $limit
	grow DTLSCID
	is "entries grow with what is forged by u32 rules, not by this one" \
		"$(awk -v limit=$limit '$2 == 40000 { print $1, ($3 > 30000), ($3 <= limit) }' "$OUT/spoof.tsv" | xargs)" \
		"u32 1 0 DTLSCID 0 1"
}

modprobe nf_conntrack
sysctl -q -w net.core.netdev_max_backlog=10000 net.netfilter.nf_conntrack_max=65536
topology 3
for f in 4 6; do
	family $f
	case $f in 4) first=10.0.0.1 ;; 6) first=fd00::1 ;; esac
	many=20000
	spoofed
	memory
done
family 4
f=4
figure
topology_down
finish
