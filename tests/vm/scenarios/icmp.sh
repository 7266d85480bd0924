#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: ICMP errors about its flows come to the side whose datagram they are
# about, and tell the client of no node's address; forged ones cost little.
. lib.sh

port=5684

# The far client is behind the near one, over a link that takes 1,280 bytes.
far_network() {
	far="04 203.0.113 2001:db8:3 10"
	ip netns add far
	# shellcheck disable=SC2086 # words
	{ router_end $far far; echo link set far mtu 1280; } | ip -n client -batch - || return
	# shellcheck disable=SC2086
	{ host_end $far; echo link set eth0 mtu 1280; } | ip -n far -batch - || return
	ip route add 203.0.113.0/24 via 198.51.100.10
	ip route add 2001:db8:3::/64 via 2001:db8:1::10
	on client sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for space in client far node1 node2 node3; do
		on $space sysctl -q -w net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	done
	sysctl -q -w net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
}

# What the families do not share: numbers of errors, and the far client.
# shellcheck disable=SC2034 # by name, in seen
errors_of_family() {
	case $f in
	4)
		unreachable='3 3' too_big='3 4' far=203.0.113.10 private=192.0.2.0/24
		quote_private='icmp and (icmp[20:4] & 0xffffff00 = 0xc0000200 or icmp[24:4] & 0xffffff00 = 0xc0000200)'
		quote_vip='icmp and (icmp[20:4] = 0xc6336401 or icmp[24:4] = 0xc6336401)' ;;
	6)
		unreachable='1 4' too_big='2 0' far=2001:db8:3::10 private=2001:db8:2::/48
		quote_private='icmp6 and ((ip6[56:4] = 0x20010db8 and ip6[60:2] = 2) or (ip6[72:4] = 0x20010db8 and ip6[76:2] = 2))'
		quote_vip='icmp6 and ((ip6[56:4] = 0x20010db8 and ip6[68:4] = 1) or (ip6[72:4] = 0x20010db8 and ip6[84:4] = 1))' ;;
	esac
}

# rule NODES...: the rule, in place of what there was.
rule() {
	"$tables" -t raw -F
	conntrack -F 2> flushed || cat flushed
	"$tables" -t raw -A PREROUTING -d "$vip" -p udp --dport $port -j DTLSCID "$@"
}

# errors NAME: how many there were, of that outcome.
errors() { sed -n "s/^icmp-errors.* $1=\([0-9]*\).*/\1/p" /proc/net/xt_dtlscid/dtlscid; }

# open_flow NAMESPACE ADDRESS PORT DATAGRAM: of a client that is not there any more.
open_flow() { on "$1" udp send -s "$2" -p "$3" "$vip" $port "$4"; }

# mtu_of NAMESPACE ADDRESS: what that side has learnt of the path there.
mtu_of() { on "$1" ip route get "$2" | sed -n 's/.* mtu \([0-9]*\).*/\1/p'; }

# home PORT: the node that the client's flow from there went to.
home() {
	zones | sed -n "s/^zone=100\([0-9]\) .* orig=[^ ]* $1 .*/\1/p"
}

# told WHAT NODE ADDRESS PORT ERROR: the node sends there, and at once hears of that error.
told() {
	is "IPv$f: $1" "$(on "node$2" forge probe -l 1300 -t 5000 "$(node "$2")" $port "$3" "$4" 00)" "1 $5"
}

# The client's port is closed.
client_gone() {
	for k in 1 2 3; do
		open_flow client "$client" $((20000 + k)) "$(cid12 $k)"
		told "node $k, flow born of a CID: the client's port is closed" \
			$k "$client" $((20000 + k)) "$unreachable 0 $client"
	done
	for p in 20011 20012 20013; do
		open_flow client "$client" $p $client_hello
		wait_for 5 test -n "$(home $p)"
		told "node $(home $p), flow born of a hello: the client's port is closed" \
			"$(home $p)" "$client" $p "$unreachable 0 $client"
	done
}

# One port of the client has flows to all nodes.
several() {
	for k in 1 2 3; do open_flow client "$client" 20031 "$(cid12 $k)"; done
	for k in 1 2 3; do
		told "node $k, the client's port has flows to others too: it is closed" \
			$k "$client" 20031 "$unreachable 0 $client"
	done
}

# A hello's flow at a node that is drained: its bucket is another node's by now.
drained() {
	open_flow client "$client" 20021 $client_hello
	k=$(home 20021)
	"$tables-save" -t raw | sed "s/ $k=[^ ]*/&,drain/" | "$tables-restore"
	told "node $k, drained: the client's port is closed" \
		"$k" "$client" 20021 "$unreachable 0 $client"
	"$tables-save" -t raw | sed "s/,drain/,up/" | "$tables-restore"
}

# Behind the near client there is a smaller MTU.
client_narrow() {
	for k in 1 2 3; do
		open_flow far "$far" $((20030 + k)) "$(cid12 $k)"
		told "node $k: the way to the client is narrow" \
			$k "$far" $((20030 + k)) "$too_big 1280 $client"
		is "IPv$f: node $k has learnt it" "$(mtu_of node$k "$far")" 1280
	done
}

# hears WHAT PORT NODE ERROR
hears() {
	is "IPv$f: $1" "$(on client forge probe -l 1350 -t 5000 "$client" "$2" "$vip" $port "$(cid12 "$3")")" "1 $4"
}

node_gone() {
	for k in 1 2 3; do
		hears "client: the port of node $k is closed" $((20040 + k)) $k "$unreachable 0 $vip"
	done
}

node_narrow() {
	ip route add "$(node 2)" dev nodes mtu lock 1300
	hears "client: the way to node 2 is narrow" 20052 2 "$too_big 1300 $vip"
	is "IPv$f: client has learnt it" "$(mtu_of client "$vip")" 1300
	ip route delete "$(node 2)" dev nodes
	on client ip "-$f" route flush cache
}

# A router between balancer and node, which has an address of those that nobody is to see.
# shellcheck disable=SC2086 # numbers
router_narrow() {
	serve node3 sink "$(node 3)" $port
	on client forge probe -l 1350 -t 10000 "$client" 20063 "$vip" $port "$(cid12 3)" > heard &
	probe=$!
	wait_for 5 test -s node3
	on node3 forge icmp "$nodes"99 "$client" $too_big 1290 "$client" 20063 "$(node 3)" $port
	wait $probe
	is "IPv$f: client: a router's way to node 3 is narrow" "$(cat heard)" "1 $too_big 1290 $vip"
	serve_no_more
	on client ip "-$f" route flush cache
}

listen() {
	: > tcpdump.err
	ip netns exec client tcpdump -n -U --immediate-mode -i eth0 -w captured 2> tcpdump.err &
	dump=$!
	wait_for 10 grep -q '^listening' tcpdump.err
}

# seen FILTER...: how many packets of the client's link are such.
seen() { tcpdump -n -r captured "$@" 2> tcpdump.err | wc -l; }

# no_address ERRORS: the client's link has carried so many that quote the service,
# and of the nodes' addresses nothing.
no_address() {
	kill -INT $dump
	wait $dump
	is "IPv$f: client's link: errors that quote the service" "$(seen "$quote_vip")" "$1"
	is "IPv$f: client's link: errors that quote a node" "$(seen "$quote_private")" 0
	is "IPv$f: client's link: packets from or to a node" "$(seen net "$private")" 0
}

# Many nodes: addresses of one namespace, a flow of each born of a CID.

many_side() {
	for k in $(seq 128); do
		echo "addr add 10.9.0.$k/32 dev lo"
		echo "addr add 2001:db8:2:1::$k/128 dev lo nodad"
	done
}

many_network() {
	many_side | ip -n node1 -batch - || return
	ip route add 10.9.0.0/24 via 192.0.2.11
	ip route add 2001:db8:2:1::/64 via 2001:db8:2::11
}

# shuffled NODES: their numbers, in an order that no search for zones has.
shuffled() {
	seq "$1" | awk -v n="$1" '{ print $1 * 37 % n + 1 }'
}

# many_flows NODES: the rule, and a flow of each node, the first from port 40001.
# shellcheck disable=SC2046 # words
many_flows() {
	rule $(seq "$1" | sed "s/.*/--node &=$many&/")
	on client forge udp -n "$1" -p "$1" "$client" 40001 "$vip" $port \
		$(for k in $(shuffled "$1"); do cid12 "$k"; echo; done)
	base_found=$(errors found) base_unknown=$(errors unknown)
}

# looked_for COUNT: whether so many errors have been.
looked_for() { [ $(($(errors found) - base_found + $(errors unknown) - base_unknown)) -ge "$1" ]; }

# one_each NODES COUNT: an error about each flow; with these, there have been so many.
# shellcheck disable=SC2086 # numbers
one_each() {
	on client forge icmp -n "$1" -p "$1" "$client" "$vip" $unreachable 0 \
		"$vip" $port "$client" 40001
	wait_for 10 looked_for "$2"
}

# probe_some NODES COUNT: what so many of them hear when they send until there is an error.
probe_some() {
	p=40000
	for k in $(shuffled "$1" | head -n "$2"); do
		p=$((p + 1))
		on node1 forge probe -n 20 -t 100 "$many$k" $port "$client" $p 00
	done
}

sixteen() {
	many_flows 16
	for round in 1 2 3 4; do
		one_each 16 $((16 * round))
	done
	is "IPv$f: of 16 nodes: errors found" $(($(errors found) - base_found)) 64
	is "IPv$f: of 16 nodes: each hears of the first error" \
		"$(probe_some 16 16 | sort | uniq -c | xargs)" "16 1 $unreachable 0 $client"
}

# As each search goes on where the last one ended, nine see all the zones of 128 nodes.
hundred() {
	many_flows 128
	one_each 128 128
	echo "# IPv$f: of 128 nodes: $(($(errors found) - base_found)) of 128 errors found"
	check "IPv$f: of 128 nodes: a part of the errors is found" \
		test "$(errors found)" -ge $((base_found + 128 / 16))
	probe_some 128 16 > heard
	echo "# IPv$f: of 128 nodes: error by which 16 of them hear: $(cut -d ' ' -f 1 heard | sort -n | xargs)"
	is "IPv$f: of 128 nodes: these hear of it at last" "$(wc -l < heard)" 16
	check "IPv$f: of 128 nodes: that takes 9 errors at most" \
		test "$(cut -d ' ' -f 1 heard | sort -n | tail -n 1)" -le 9
}

# Forged errors.

# flood COUNT: about flows that are not there.
# shellcheck disable=SC2086 # numbers
flood() {
	on client forge icmp -n "$1" -p 60000 "$client" "$vip" $unreachable 0 \
		"$vip" $port "${client2%?}2" 1
}

hundredths() { awk '{ print int($1 * 100) }' /proc/uptime; }

# took COMMAND...: in hundredths of a second.
took() {
	start=$(hundredths)
	"$@"
	echo $(($(hundredths) - start))
}

sunk() { [ "$(wc -l < node1)" -ge "$1" ]; }

forged() {
	rule --node "1=$(node 1)"
	serve node1 sink "$(node 1)" $port
	base_found=$(errors found) base_unknown=$(errors unknown) base_limited=$(errors limited)
	begin=$(uptime_s)
	flood 60000 &
	flood=$!
	on client udp send -s "$client" -p 20071 -n 2000 "$vip" $port "$(cid12 1)"
	check "IPv$f: forged errors, still coming when the last datagram is sent" kill -0 $flood
	wait_for 10 sunk 2000
	is "IPv$f: forged errors: datagrams that come to their node meanwhile" "$(wc -l < node1)" 2000
	wait $flood
	seconds=$(($(uptime_s) - begin + 1))
	serve_no_more
	is "IPv$f: forged errors: of 60000 none is found, the others are counted" \
		"$(errors found) $(($(errors unknown) - base_unknown + $(errors limited) - base_limited))" \
		"$base_found 60000"
	check "IPv$f: forged errors: not more than 1,000 a second are looked for" \
		test $(($(errors unknown) - base_unknown)) -le $((1000 * (seconds + 1)))
	check "IPv$f: forged errors: most are not" test $(($(errors limited) - base_limited)) -gt 30000
	# Those of the last second may have left no room for the first.
	is "IPv$f: after them, an error comes to the node again" \
		"$(on node1 forge probe -n 5 "$(node 1)" $port "$client" 20071 00 | cut -d ' ' -f 2-)" \
		"$unreachable 0 $client"
}

cost() {
	with=$(took flood 20000)
	"$tables" -t raw -F
	conntrack -F 2> flushed
	wait_for 20 test ! -e /proc/net/xt_dtlscid/dtlscid
	echo "# IPv$f: 20,000 forged errors take $with/100 s with the rule, $(took flood 20000)/100 s without"
}

topology 3
far_network
many_network
sysctl -q -w net.core.netdev_max_backlog=10000 net.core.rmem_default=4000000
for f in 4 6; do
	family $f
	errors_of_family
	rule --node "1=$(node 1)" --node "2=$(node 2)" --node "3=$(node 3)"
	listen
	client_gone
	several
	drained
	client_narrow
	node_gone
	node_narrow
	router_narrow
	no_address 31
	case $f in
	4) many=10.9.0. ;;
	6) many=2001:db8:2:1:: ;;
	esac
	sixteen
	hundred
	forged
	cost
done
topology_down
finish
