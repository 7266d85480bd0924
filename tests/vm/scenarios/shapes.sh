#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID and the shapes in which datagrams reach it: fragments, pages, aggregates.
. lib.sh

port=5684
coap=44011234deadbeefb474657374

zeros() { printf "%0$((2 * $1))d" 0; }

# A handshake record of N bytes, then a record with node 2's CID.
long() { echo "16fefd0000000000000002$(printf %04x "$1")10$(zeros $(($1 - 1)))$(cid12 2)"; }

mtu() {
	for link in client nodes node1 node2; do ip link set $link mtu "$1"; done
	for space in client node1 node2; do ip -n $space link set eth0 mtu "$1"; done
}

# Node 4 is node 1's address again; what has no CID goes to node 1.
rules() {
	"$tables" -t raw -A "$chain" -d "$vip" -p udp -m comment --comment seen
	name=$f$1
	shift
	balance "$name" --node 1="$(node 1)" --node 2="$(node 2)",weight=0 --node 4="$(node 1)" --cid-length 6 "$@"
}

no_rules() {
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

sinks() {
	serve node1 sink "$(node 1)" $port
	serve node2 sink "$(node 2)" $port
	serve balancer sink "$vip" $port
}

# What has come, as "PLACE DATAGRAM", sorted; what for: the same of what ought to.
came() {
	for space in node1 node2 balancer; do
		sed "s/.* /$space /" $space
	done | sort
}

all_came() { [ "$(cat node1 node2 balancer | wc -l)" -ge "$1" ]; }

# whole WHAT DATAGRAM: it reaches node 2 as it is.
whole() {
	sinks
	on client udp send "$vip" $port "$2"
	wait_for 30 all_came 1
	is "IPv$f: $1 reaches its node, and is as it was" \
		"$(came | md5sum)" "$(echo "node2 $2" | md5sum)"
	is "IPv$f: $1 is counted as one" "$(news "$name")" "datagrams=1 cid12=1"
	serve_no_more
}

# Only iptables' own raw table can be told to see fragments before they are put
# together: no node is theirs to choose then.
fragments_alone() {
	for module in iptable_raw ip6table_raw; do modprobe $module raw_before_defrag=1; done
	for f in 4 6; do
		family $f
		name=${f}alone
		"$tables" -t raw -A PREROUTING -d "$vip" -p udp -j DTLSCID --name $name --node 2="$(node 2)"
		sinks
		on client udp send "$vip" $port "$(long 3000)"
		wait_for 30 all_came 1
		is "IPv$f: fragments that nobody has put together are left alone" "$(came | cut -c 1-13)" "balancer 16fe"
		is "IPv$f: and counted, each" "$(news "$name")" "datagrams=3 fragment=3"
		serve_no_more
		no_rules
	done
	for module in iptable_raw ip6table_raw; do wait_for 30 rmmod $module; done
}

# sends SPACE DATAGRAM...: as one packet, from a socket there.
sends() {
	space=$1
	shift
	at "$space" udp send -g 41 "$vip" $port "$(printf %s "$@")"
}

# aggregate WHAT PACKETS REASONS "PLACE DATAGRAM"...: what has come of one, and in how
# many packets it passed through raw.
aggregate() {
	what=$1 packets=$2 reasons=$3
	shift 3
	wait_for 30 judged "$name" 4
	wait_for 30 all_came $#
	serve_no_more
	is "IPv$f: $what: each where it belongs" "$(came)" "$(printf '%s\n' "$@" | sort)"
	is "IPv$f: $what: counted" "$(news "$name")" "datagrams=4 $reasons"
	is "IPv$f: $what: packets" "$(packets "$tables" raw "$chain" seen)" "$packets"
	zero "$tables" raw
}

by_nodes() {
	sed -n 's/^node=.* datagrams=\([0-9]*\) .*/\1/p' "/proc/net/xt_dtlscid/$name" | awk '{ n += $1 } END { print n }'
}

served() { counts "$name" | awk -F = '/^(cid12|cid13|client-hello|no-cid)=/ { n += $2 } END { print n }'; }

# Linux 5.10 takes an aggregate of a socket apart before veth has it, so that each
# datagram comes alone; others pass whole as $1 packet, or else are split: 1 and 4 more.
aggregates() {
	uniform=$2 split=$3
	sinks
	sends client "$(cid12 1)" "$(cid12 1)" "$(cid12 1)" "$(cid12 1)"
	one="node1 $(cid12 1)"
	aggregate "$1 of one node" "$uniform" "cid12=4" "$one" "$one" "$one" "$one"
	sinks
	sends client "$(cid12 1)" "$(cid12 4)" "$(cid12 1)" "$(cid12 4)"
	aggregate "$1 of two ids of one address" "$uniform" "cid12=4" \
		"$one" "node1 $(cid12 4)" "$one" "node1 $(cid12 4)"
	sinks
	sends client "$(cid12 1)" "$(cid12 2)" "$(cid12 1)" "$(cid12 2)"
	aggregate "$1 of two nodes in turn" "$split" "cid12=4" \
		"$one" "node2 $(cid12 2)" "$one" "node2 $(cid12 2)"
	sinks
	sends client "$(cid13 2)" "$(cid12 9)" "$client_hello" "$no_cid"
	aggregate "$1 of four kinds" "$split" "cid13=1 client-hello=1 no-cid=1 unknown-node=1" \
		"node2 $(cid13 2)" "node1 $client_hello" "node1 $no_cid"
	sinks
	sends client "$(cid12 2)" "$(cid12 2)" "$(cid12 2)" "$coap"
	two="node2 $(cid12 2)"
	aggregate "$1 with a shorter end" "$split" "cid12=3 not-dtls=1" "$two" "$two" "$two" "balancer $coap"
	sinks
	sends client "$(cid12 9)" "$(cid12 9)" "$(cid12 9)" "$(cid12 9)"
	aggregate "$1 of unknown nodes" "$uniform" "unknown-node=4"
	is "IPv$f: $1: what is counted by nodes is what was served" "$(by_nodes)" "$(served)"
}

segmenting() { on client ethtool -K eth0 tx-udp-segmentation "$1" > said 2>&1; }

# What a socket sends as one; then what a device has put together, in either way.
received() {
	if segmenting on; then
		aggregates UDP_SEGMENT 1 5
		segmenting off
		ethtool -K client gro on rx-udp-gro-forwarding on
		aggregates GRO 1 5
		ethtool -K client rx-udp-gro-forwarding off rx-gro-list on
		aggregates "GRO list" 1 5
		ethtool -K client gro off rx-gro-list off
		segmenting on
	else
		aggregates "UDP_SEGMENT, taken apart" 4 4
	fi
}

# What the balancer itself sends cannot be split.
of_our_own() {
	chain=OUTPUT
	rules drop
	sinks
	sends balancer "$(cid12 2)" "$(cid12 2)" "$(cid12 2)" "$(cid12 2)"
	two="node2 $(cid12 2)"
	aggregate "sent by the balancer, of one node" 1 "cid12=4" "$two" "$two" "$two" "$two"
	sinks
	sends balancer "$(cid12 2)" "$(cid12 1)" "$(cid12 2)" "$(cid12 1)" 2> denied
	aggregate "sent by the balancer, of two nodes" 1 "mixed=4"
	sinks
	sends balancer "$client_hello" "$(cid12 2)" "$client_hello" "$(cid12 2)" 2> denied
	aggregate "sent by the balancer, of two kinds" 1 "mixed=4"
	no_rules
	rules first --mixed first
	sinks
	sends balancer "$(cid12 2)" "$(cid12 1)" "$(cid12 2)" "$(cid12 1)"
	aggregate "sent by the balancer, of two nodes, --mixed first" 1 "mixed=4" \
		"$two" "node2 $(cid12 1)" "$two" "node2 $(cid12 1)"
	no_rules
	chain=PREROUTING
}

topology 2
[ "$FLAVOUR" != legacy ] || fragments_alone
for f in 4 6; do
	family $f
	rules all
	whole "a datagram of 3,000 bytes in fragments" "$(long 3000)"
	mtu 65535
	whole "a datagram of 20,000 bytes in pages" "$(long 20000)"
	mtu 1500
	zero "$tables" raw
	received
	no_rules
	of_our_own
done
topology_down
finish
