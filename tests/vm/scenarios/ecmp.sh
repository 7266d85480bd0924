#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Two balancers behind one address: a router spreads the clients over them, and the
# nodes their answers, each as it likes.  They know nothing of each other but the key.
# One of them dies while real DTLS sessions go on.
. lib.sh
. ./peers.sh

clients=$(seq 10)

# The router is where the script runs: of net.sh's balancer it has the client's link,
# and the nodes' bridge without an address.  Both balancers have the service's.

# router_side K, balancer_own K, node_ways: what there is of a balancer at its router, in
# itself, and of both at a node.
router_side() {
	echo "netns add lb$1"
	router_end "1$1" "10.0.$1" "2001:db8:a:$1" 2 "lb$1"
	cat <<-END
	link add nodes-lb$1 type veth peer name eth1 netns lb$1
	link set nodes-lb$1 master nodes addrgenmode none up
	END
}

balancer_own() {
	host_end "1$1" "10.0.$1" "2001:db8:a:$1" 2
	cat <<-END
	addr add 203.0.113.1/32 dev lo
	addr add 2001:db8:3::1/128 dev lo
	link set eth1 address 02:00:00:00:06:0$1 addrgenmode none up
	addr add 192.0.2.10$1/24 dev eth1
	addr add 2001:db8:2::10$1/64 dev eth1 nodad
	END
	for k in 1 2; do
		echo "neigh add 192.0.2.1$k lladdr 02:00:00:00:02:1$k dev eth1"
		echo "neigh add 2001:db8:2::1$k lladdr 02:00:00:00:02:1$k dev eth1"
	done
}

node_ways() {
	for k in 1 2; do
		echo "neigh add 192.0.2.10$k lladdr 02:00:00:00:06:0$k dev eth0"
		echo "neigh add 2001:db8:2::10$k lladdr 02:00:00:00:06:0$k dev eth0"
	done
	echo "route delete default via 192.0.2.1"
	echo "route delete default via 2001:db8:2::1"
}

network() {
	topology 2
	ip addr flush dev nodes
	for lb in 1 2; do
		router_side $lb | ip -batch -
		balancer_own $lb | ip -n lb$lb -batch -
		on lb$lb sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
		node_ways | ip -n node$lb -batch -
	done
	# All hosts here choose a way by addresses and ports.
	for space in balancer node1 node2; do
		at $space sysctl -q -w net.ipv4.fib_multipath_hash_policy=1 \
			net.ipv6.fib_multipath_hash_policy=1
	done
}

family_of_two() {
	family "$1"
	case $f in
	4) vip=203.0.113.1 to=10.0. ending=.2 at_port=$vip:$port ;;
	6) vip=2001:db8:3::1 to=2001:db8:a: ending=::2 at_port=[$vip]:$port ;;
	esac
}

# ways K...: by which balancers clients reach the service, and nodes the clients.
ways() {
	there='' back=''
	for k; do
		there="$there nexthop via $to$k$ending" back="$back nexthop via ${nodes}10$k"
	done
	# shellcheck disable=SC2086 # words
	{
		ip "-$f" route replace "$vip" $there
		for k in 1 2; do on node$k ip "-$f" route replace default $back; done
	}
}

# Nothing is left of what they had.
rules() {
	for k in 1 2; do
		on lb$k "$tables" -t raw -F
		on lb$k conntrack -F 2> flushed
		on lb$k "$tables" -t raw -A PREROUTING -d "$vip" -p udp --dport "$port" \
			-j DTLSCID --name lb --hash-key 000102030405060708090a0b0c0d0e0f \
			--vip "$at_port" --cid-length 6 --node 1="$(node 1)" --node 2="$(node 2)"
	done
}

# value K LINE KEY: what the balancer's file has by that key in the line that begins so.
value() {
	on "lb$1" sed -n "s/^$2.* $3=\([0-9]*\).*/\1/p" /proc/net/xt_dtlscid/lb
}

# A new client's node does not depend on its way.

homes() { on "lb$1" flows "-$f" -z 1001:1002 | awk '{ print $6, $1 }' | sort; }

flows_of() { [ "$(homes "$1" | wc -l)" -ge "$2" ]; }

agree() {
	for lb in 1 2; do
		ways $lb
		on client forge udp -n 40 -p 40 "$client" 30000 "$vip" "$port" "$client_hello"
		wait_for 10 flows_of $lb 40
		homes $lb > homes.$lb
	done
	is "IPv$f: 40 new clients through the first balancer: to both nodes" \
		"$(cut -d ' ' -f 2 homes.1 | sort -u | xargs)" "zone=1001 zone=1002"
	check "IPv$f: and to the same through the second" diff homes.1 homes.2
}

# A reply may come to the balancer that has no flow of that client.
either_way() {
	ways 1 2
	for k in 1 2; do serve node$k echo node$k "$(node $k)" "$port"; done
	for p in $(seq 31000 31019); do
		for k in 1 2; do
			on client udp ask -s "$client" -p "$p" -t 5000 "$vip" "$port" "$(cid12 $k)"
		done
	done | sort | uniq -c | sed 's/^ *//' > answers
	is "IPv$f: 20 clients of two nodes: all answers come from the service" "$(cat answers)" \
		"$(printf "20 node%s $vip $port\n" 1 2)"
	check "IPv$f: both balancers had clients" \
		test "$(value 1 datagrams cid12)" -gt 0 -a "$(value 2 datagrams cid12)" -gt 0
	check "IPv$f: and both had answers to clients of the other" \
		test "$(value 1 node-first flows)" -gt 0 -a "$(value 2 node-first flows)" -gt 0
	serve_no_more
}

so_far() { [ "$(replies c*.log)" -ge "$1" ]; }

# all_say TEXT
all_say() {
	for n in $clients; do tell "c$n" say "$1"; done
}

meet() {
	for n in $clients; do
		start_client "c$n" dtls-peer --bind "$client" $((32000 + n)) --wait 2000 "$vip" "$port"
		tell "c$n" connect
		tell "c$n" say hello
	done
	wait_for 60 so_far 10
}

# At the router the link fails; the nodes are told, as a routing protocol would do.
die() {
	ip link set lb1 down
	ip link set nodes-lb1 down
	ways 2
}

# speak: each client says something now and again, until there is a file "quiet".
speak() {
	while [ ! -e quiet ]; do
		all_say "and so on"
		sleep 0.05
	done
	all_say "at last"
}

all_done() { [ "$(grep -l ': at last$' c*.log | wc -l)" -eq 10 ]; }

# What is lost is what is under way when the balancer dies: who waits in vain goes on to
# what comes next.
balancer_dies() {
	rules
	start_nodes 2 dtls-peer "$port"
	meet
	rm -f quiet
	speak &
	wait_for 30 so_far 50
	had=$(value 1 datagrams cid12) before=$(replies c*.log)
	die
	check "IPv$f: a balancer that has clients dies, and they speak on" \
		wait_for 30 so_far $((before + 100))
	: > quiet
	wait_for 60 all_done
	echo "# IPv$f: messages: $(replies c*.log), lost: $(cat c*.log | grep -c ^timeout)," \
		"datagrams with a CID at the balancer that died: $had"
	check "IPv$f: the one that died had clients" test "$had" -gt 0
	is "IPv$f: all sessions go on, with one handshake each" "$(others)" ""
	is "IPv$f: the nodes saw no other handshake" "$(($(events handshake | tr ' ' +)))" 10
	is "IPv$f: and no datagram without its keys, nor another address" \
		"$(events unknown-cid) $(events moved)" "0 0 0 0"
	for n in $clients; do stop_client "c$n"; done
}

# others: the clients whose first and last lines are not these.
others() {
	for n in $clients; do
		k=$(home "c$n")
		[ "$(sed -n '1p; $p' "c$n.log" | sed 's/\(cid ..\).*/\1/' | xargs)" = \
			"handshake 1 cid 0$k answer node$k: at last" ] || echo "client $n: $(story "c$n" | cut -c 1-200)"
	done
}

for f in 4 6; do
	at_length $f || continue
	family_of_two $f
	network
	rules
	agree
	either_way
	balancer_dies
done
topology_down
finish
