#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j LBSP: the table of its inventors' slides, with real sockets, over TCP and UDP.
#
# Whether the option is read at all, and by whose word a server is chosen, shows in the
# counters; that a row of "balancing" is not luck, in a second balancer that agrees.
. lib.sh

vip1=2001:db8:1::1 vip2=2001:db8:1::2
c1=2001:db8:c::1 c2=2001:db8:c::2 # their clients are elsewhere
key=000102030405060708090a0b0c0d0e0f

# The client's addresses are those of the proxies.
proxies() {
	ip address add $vip2/64 dev client nodad
	ip -n client neigh add $vip2 lladdr 02:00:00:00:01:01 dev eth0
	ip -n client address add 2001:db8:1::13/64 dev eth0 nodad preferred_lft 0
	ip neigh add 2001:db8:1::13 lladdr 02:00:00:00:01:10 dev client
}
proxy() { echo "2001:db8:1::1$(($1 - 1))"; }

# Two pools under a name.  The order of servers is not the same on all balancers.
rules() {
	ip6tables -t nat -A PREROUTING -d $vip1 -j LBSP --name deck --hash-key $key \
		--server "$(node 1)" --server "$(node 2)"
	ip6tables -t nat -A PREROUTING -d $vip2 -j LBSP --name deck --hash-key $key \
		--server "$(node 3)" --server "$(node 4)"
}

# On the client's own machine, so that all that leaves it has its server.
second_balancer() {
	on client ip6tables -t nat -A OUTPUT -d $vip1 -j LBSP --name second --hash-key $key \
		--server "$(node 2)" --server "$(node 1)"
	on client ip6tables -t nat -A OUTPUT -d $vip2 -j LBSP --name second --hash-key $key \
		--server "$(node 4)" --server "$(node 3)"
}

# row NUMBER PROXY VIP PORT SEGMENT1 SEGMENT2: who serves it, by TCP and by UDP.
row() {
	for transport in -t ''; do
		# shellcheck disable=SC2086 # no word, or one
		server_of $transport -s "$(proxy "$2")" -1 "$5" -2 "$6" "$3" "$4"
	done | uniq | xargs
}

# balanced NUMBER POOL ...: by the client's identity; the server is $row$NUMBER then.
balanced() {
	n=$1 pool=$2
	shift 2
	got=$(row "$n" "$@")
	case " $pool " in
	*" $got "*) ok "row $n: balancing: $got, of the pool" ;;
	*) not_ok "row $n: balancing: of the pool" "got: $got" ;;
	esac
	is "row $n: by TCP and UDP, as a client of no server" "$(news deck)" "packets=2 new=2"
	is "row $n: the same again" "$(row "$n" "$@")" "$got"
	news deck > counted
	echo "$got" > "row$n"
}

# persistent NUMBER SERVER ...: by segment 2, whatever the proxy and the port.
persistent() {
	n=$1 want=$2
	shift 2
	is "row $n: segment 2: $want" "$(row "$n" "$@")" "$want"
	is "row $n: because of it" "$(news deck)" "packets=2 persistent=2"
}

deck() {
	balanced 1 "server1 server2" 1 $vip1 80 $c1 ::
	persistent 2 server1 1 $vip1 80 $c1 "$(node 1)"
	balanced 3 "server1 server2" 1 $vip1 21 $c1 ::
	persistent 4 server1 2 $vip1 443 $c1 "$(node 1)"
	balanced 5 "server3 server4" 1 $vip2 80 $c2 ::
	persistent 6 server3 1 $vip2 80 $c2 "$(node 3)"
}

# What the balancer chooses for rows 1, 3 and 5, the client's own machine does too.
agreement() {
	second_balancer
	is "second balancer: row 1" "$(row 1 1 $vip1 80 $c1 ::)" "$(cat row1)"
	is "second balancer: row 3" "$(row 3 1 $vip1 21 $c1 ::)" "$(cat row3)"
	is "second balancer: row 5" "$(row 5 1 $vip2 80 $c2 ::)" "$(cat row5)"
	is "second balancer: it was it" "$(on client sed -n 's/ persist.*//p' /proc/net/xt_lbsp/second)" \
		"packets=6 new=6"
	is "second balancer: the first was not asked" "$(news deck)" ""
	on client ip6tables -t nat -F
}

# server2 in the end: what a hash of the proxy or of the transport would not give.
four_proxies() {
	for n in 1 2 3 4; do row 0 $n $vip1 80 $c2 ::; done | sort -u > servers
	is "one client through four proxies, TCP and UDP: one server" "$(wc -l < servers)" 1
	for n in 1 2 3 4; do row 0 $n $vip1 80 $c2 "$(node 2)"; done | sort -u > servers
	is "the same with its server in segment 2" "$(cat servers)" server2
	news deck > counted
	for n in 1 2 3 4; do
		for transport in -t ''; do
			# shellcheck disable=SC2086
			server_of $transport -e none -s "$(proxy $n)" $vip1 80
		done
	done > servers
	is "without the option: by the source address" "$(news deck)" "packets=8 fallback=8"
	is "all are answered" "$(grep -c '^server[12]$' servers)" 8
	is "an address has one server" "$(paste -d ' ' - - < servers | awk '$1 != $2' | wc -l)" 0
}

family 6
topology 4
lbsp_counters
proxies
rules
serve_options 4 80 21 443
deck
agreement
four_proxies
forget
finish
