#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: conntrack's table is flushed, and full, under traffic.
. lib.sh

flush() { conntrack -F 2> flushed; }

# A client's datagrams find their node with an entry or without.
flushed() {
	name=flushed$f
	replace "$name" "$(first_nodes 3)"
	tally_names 3
	before=$(arrived node1 node2 node3)
	while_sending 100 flush "$(cid12 1)" "$(cid12 2)" "$(cid12 3)"
	wait_for 30 arrived_since $((3 * each)) node1 node2 node3
	serve_no_more
	is "IPv$f: conntrack -F, $times times: of $((3 * each)) datagrams each comes to its node" \
		"$(cat node1 node2 node3)" "$(printf "$client 42000 %s $each\n" 1 2 3)"
	forget
}

room() { sysctl -q -w net.netfilter.nf_conntrack_max="$1"; }

# answers FIRST COUNT MILLISECONDS: of so many clients, how many have one, by node in turn.
answers() {
	for i in $(seq "$1" $(($1 + $2 - 1))); do
		on client udp ask -s "$client" -p "$i" -t "$3" "$vip" "$port" "$(cid12 $((i % 3 + 1)))"
	done | grep -c "^node[123] $vip $port"
}

# Those that have been answered for more than 2 s, whom conntrack does not drop for others.
long_lived() {
	answers 40000 10 5000 > answered
	[ "$(flows "-$f" -z 1000:1999 | awk -F '[= ]' '$4 > 50' | wc -l)" -eq 10 ]
}

is_full() { [ "$(dmesg | grep -c 'nf_conntrack: table full')" -gt "$was" ]; }

begun() { sed -n 's/^node-first flows=\([0-9]*\) .*/\1/p' "/proc/net/xt_dtlscid/$name"; }

# says NODE PORT: a node speaks first, to that port of somebody.
says() { on "node$1" forge udp -n 1 "$(node "$1")" "$port" "$client2" "$2" "$no_cid"; }

# There is room for what there is: nothing can be begun, by client or node.
full() {
	name=full$f
	# shellcheck disable=SC2046 # words
	balance "$name" $(first_nodes 3) --timeout 100,4
	serve_names 3
	check "IPv$f: ten sessions" wait_for 30 long_lived
	room "$(entries)"
	was=$(dmesg | grep -c 'nf_conntrack: table full')
	on client forge udp -n 2000 "$client2" 20000 "$vip" "$port" "$(cid12 1)" "$(cid12 2)" "$client_hello"
	for p in $(seq 30000 30019); do says $((p % 3 + 1)) "$p"; done
	check "IPv$f: the table is full" is_full
	is "IPv$f: nothing was begun, by client or node: entries of ours, flows that nodes began" \
		"$(ours) $(begun)" "10 0"
	is "IPv$f: meanwhile each session has its answers" "$(answers 40000 10 5000) $(answers 40000 10 5000)" "10 10"
	room 65536
	is "IPv$f: when there is room again, so has each new one" "$(answers 50000 20 5000)" 20
	node_speaks
	forget
}

# Also to a client it has no flow with.
node_speaks() {
	serve client sink "$client2" 31000
	says 2 31000
	check "IPv$f: and a node's own" wait_for 10 test -s client
}

modprobe nf_conntrack
sysctl -q -w net.core.rmem_default=16000000 net.core.netdev_max_backlog=10000
topology 3
for f in 4 6; do
	family $f
	flushed
	full
done
topology_down
finish
