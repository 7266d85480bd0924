#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID in one network for clients, nodes and balancer, which has one interface.
. lib.sh

port=5684

# The interface is the nodes' bridge.  The client is a router too, behind which there are
# outside addresses.  For IPv6 a redirect comes from a link-local address, so the routes go
# by those.

link_client() {
	cat <<-END
	addr flush dev eth0
	addr add 192.0.2.200/24 dev eth0
	addr add 2001:db8:2::200/64 dev eth0 nodad
	addr add fe80::200/64 dev eth0 nodad
	addr add 203.0.113.11/32 dev lo
	addr add 203.0.113.12/32 dev lo
	addr add 2001:db8:3::11/128 dev lo
	addr add 2001:db8:3::12/128 dev lo
	addr add 2001:db8:3::13/128 dev lo
	neigh add 192.0.2.1 lladdr 02:00:00:00:02:01 dev eth0
	neigh add 2001:db8:2::1 lladdr 02:00:00:00:02:01 dev eth0
	neigh add fe80::1 lladdr 02:00:00:00:02:01 dev eth0
	route replace default via 192.0.2.1
	route replace default via fe80::1 dev eth0
	END
}

# link_node K
link_node() {
	cat <<-END
	addr add fe80::$((10 + $1))/64 dev eth0 nodad
	neigh add fe80::1 lladdr 02:00:00:00:02:01 dev eth0
	route replace default via fe80::1 dev eth0
	neigh add 192.0.2.200 lladdr 02:00:00:00:01:10 dev eth0
	neigh add 2001:db8:2::200 lladdr 02:00:00:00:01:10 dev eth0
	neigh add fe80::200 lladdr 02:00:00:00:01:10 dev eth0
	END
}

link_balancer() {
	cat <<-END
	link set client master nodes
	addr flush dev client
	addr add fe80::1/64 dev nodes nodad
	addr add 198.51.100.1/32 dev lo
	addr add 2001:db8:1::1/128 dev lo
	neigh add 192.0.2.200 lladdr 02:00:00:00:01:10 dev nodes
	neigh add 2001:db8:2::200 lladdr 02:00:00:00:01:10 dev nodes
	neigh add fe80::200 lladdr 02:00:00:00:01:10 dev nodes
	route add 203.0.113.0/24 via 192.0.2.200
	route add 2001:db8:3::/64 via fe80::200 dev nodes
	END
}

one_link() {
	link_balancer | ip -batch -
	link_client | ip -n client -batch -
	for k in 1 2 3; do link_node $k | ip -n node$k -batch -; done
}

# everywhere COMMAND...: at client and nodes.
everywhere() {
	for space in client node1 node2 node3; do on $space "$@"; done
}

# heed_redirects 0|1: whether client and nodes do.
heed_redirects() {
	everywhere sysctl -q -w net.ipv"$f".conf.all.accept_redirects="$1" \
		net.ipv"$f".conf.eth0.accept_redirects="$1"
}

# past_balancer: whether a node answers a client of its network by itself.
past_balancer() { [ "$(who_answers "$inside" 40000 1)" = "node1 $(node 1) $port" ]; }

# stays WHAT ADDRESS ID: its answers to a client there come from the service, and go on to.
stays() {
	is "IPv$f, one network: $1" "$(who_answers "$2" 40000 "$3" "$3" "$3" "$3")" \
		"$(from_service "$3" "$3" "$3" "$3")"
}

one_network() {
	case $f in
	4) inside=192.0.2.200 outside=203.0.113.1 gateway=192.0.2.1
		redirect='icmp --icmp-type redirect' ;;
	6) inside=2001:db8:2::200 outside=2001:db8:3::1 gateway=fe80::1
		redirect='icmpv6 --icmpv6-type redirect' ;;
	esac
	name=one$f
	replace "$name" "$(first_nodes 3)"
	serve_names 3
	heed_redirects 0
	check "IPv$f, one network: a node answers a client of it past the balancer" past_balancer
	stays "but not one from outside" "${outside}1" 1
	masqueraded
	routed
	redirected
	forget
}

masqueraded() {
	conntrack -F 2> flushed
	"$tables" -t nat -A POSTROUTING -s "$inside" -o nodes -j MASQUERADE
	stays "nor one of it, with MASQUERADE for it" "$inside" 1
	"$tables" -t nat -F
}

routed() {
	conntrack -F 2> flushed
	on node1 ip "-$f" route add "$inside" via "$gateway" dev eth0
	stays "nor one of it, with a route at the node" "$inside" 1
}

# redirects K: how many have come to that node.
redirects() {
	on "node$1" "$tables" -t raw -nvxL PREROUTING | awk 'NR == 3 { print $1 }'
}

# Where a node heeds a redirect, its answers go past the balancer.  About translated
# packets none is sent in IPv4.  In IPv6 they are, whatever is set; nodes of Linux 6.12
# heed them, those of 6.1 do not.  Few a second are sent for an address, so each step has
# a node and a client of its own.
# shellcheck disable=SC2086 # words
redirected() {
	heed_redirects 1
	for k in 2 3; do on node$k "$tables" -t raw -A PREROUTING -p $redirect; done
	[ "$f" = 4 ] || ip6tables -A OUTPUT -p $redirect -j DROP
	stays "nor one from outside, where nodes would heed redirects" "${outside}2" 2
	is "IPv$f, one network: none comes" "$(redirects 2)" 0
	[ "$f" = 6 ] || return
	ip6tables -F OUTPUT
	who_answers "${outside}3" 40000 3 > answer
	check "IPv$f, one network: but one does if the balancer may send it" \
		test "$(redirects 3)" -gt 0
}

topology 3
one_link
for f in 4 6; do
	family $f
	one_network
done
topology_down
finish
