#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The demonstration of LBSP, in a guest: clients, proxies' addresses, a balancer and servers,
# with real TCP and UDP sockets.  First stock nft, then -j LBSP.
# Exits with 0 when every case ended as this script says it does.
. lib.sh

vip1=2001:db8:1::1 vip2=2001:db8:1::2
proxy1=2001:db8:1::10 proxy2=2001:db8:1::11
c1=2001:db8:c::1 c2=2001:db8:c::2
clients=60
surprises=0

say() { printf '\n%s\n' "$*" | fold -s -w 78; }
title() { printf '\n\n=== %s\n' "$*"; }

typed() {
	echo "  # $*" | fold -s -w 100
	"$@"
}

# outcome CASE WORKS EXPECTED
outcome() {
	printf '%-55s %-4s %s\n' "$1" "$rules" "$2" | tee -a summary
	[ "$2" != "$3" ] || return
	echo "  --> NOT what this demonstration says: $3"
	surprises=$((surprises + 1))
}

# works COMMAND...: the word for it.
works() { if "$@"; then echo works; else echo FAILS; fi; }

# The rules, for the first service's servers, so many as are given.

# nft takes the bytes of a packet for a number, and wants keys to be such: addresses as hex.
nft_rules() {
	n=$# by_number='' by_address=''
	for k; do
		by_number="${by_number:+$by_number, }$((k - 1)) : $(node "$k")"
		by_address="${by_address:+$by_address, }0x20010db80002$(printf '%018d' 0)1$k : $(node "$k")"
	done
	cat > rules.nft <<-END
	table ip6 lbsp
	delete table ip6 lbsp
	table ip6 lbsp {
	  chain prerouting {
	    type nat hook prerouting priority dstnat
	    ip6 daddr $vip1 ip6 nexthdr 60 @nh,368,16 0x1e20 @nh,512,128 0 dnat to jhash @nh,384,128 mod $n map { $by_number }
	    ip6 daddr $vip1 ip6 nexthdr 60 @nh,368,16 0x1e20 dnat to @nh,512,128 map { $by_address }
	  }
	}
	END
	sed -n 3,9p rules.nft | fold -s -w 100 | sed 's/^/    /'
	nft -f rules.nft
}

LBSP_rules() {
	options=
	for k; do options="$options --server $(node "$k")"; done
	ip6tables -t nat -F
	# shellcheck disable=SC2086 # words
	typed ip6tables -t nat -A PREROUTING -d $vip1 -j LBSP $options
}

# The cases.

# row FROM TO PORT SEGMENT1 SEGMENT2 CHOSEN-BY: one of the slides' table; $server is who
# answered.
row() {
	answer=$(on client lbsp ask -t -p "$(next_port)" -s "$1" -1 "$4" -2 "$5" "$2" "$3")
	server=${answer%% *}
	printf '  %-17s %-17s %4s  %-14s %-14s %-10s %s\n' "$1" "$2" "$3" "$4" "$5" "$6" "$server"
}

heading() {
	printf '  %-17s %-17s %4s  %-14s %-14s %-10s %s\n' from to port 'segment 1' 'segment 2' \
		'chosen by' server
}

# A user fills a cart by HTTP and pays by HTTPS, by way of another proxy.
cart() {
	heading
	row $proxy1 $vip1 80 $c1 :: balancing
	first=$server
	[ "$first" != silence ] || return
	row $proxy1 $vip1 80 $c1 "$(node "${first#server}")" 'segment 2'
	[ "$server" = "$first" ] || return
	row $proxy2 $vip1 443 $c1 "$(node "${first#server}")" 'segment 2'
	[ "$server" = "$first" ]
}

# The option is the second one of its header.
elsewhere() {
	option=1e20$(printf '20010db8000c%020d' 1)$(printf '20010db80002%018d13' 0)
	header=0005310400000000${option}010400000000
	for transport in -t ''; do
		# shellcheck disable=SC2086 # no word, or one
		[ "$(server_of $transport -x "$header" $vip1 80)" = server3 ] || return
	done
}

# The clients' servers, a line each.
servers_of_all() {
	for i in $(seq $clients); do
		server_of -1 "$c2:$i" $vip1 80
	done
}

# A server leaves: only its clients are to have another.
leaves() {
	servers_of_all > before
	"${rules}_rules" 1 2 > shown
	servers_of_all > after
	moved=$(paste -d ' ' before after | awk '$1 != $2' | wc -l)
	its=$(grep -c server3 before)
	echo "  of $clients clients $moved have another server; $its had the one that is gone"
	[ "$moved" = "$its" ]
}

# scene nft|LBSP EXPECTED EXPECTED EXPECTED
scene() {
	rules=$1
	"${rules}_rules" 1 2 3
	say "A user fills a cart by HTTP, and pays by HTTPS through another proxy:"
	cart > shown
	ok=$?
	cat shown
	outcome "a client comes back through another proxy" "$(works [ $ok = 0 ])" "$2"
	say "Another option stands before it:"
	outcome "the option elsewhere in its header" "$(works elsewhere)" "$3"
	say "The third server leaves:"
	outcome "a server leaves, and none but its clients move" "$(works_aloud leaves)" "$4"
}

# The same, with what it prints where all can see it.
works_aloud() {
	"$@" > said
	ok=$?
	cat said >&2
	works [ $ok = 0 ]
}

# The table of the slides.
deck() {
	ip6tables -t nat -F
	typed ip6tables -t nat -A PREROUTING -d $vip1 -j LBSP --server "$(node 1)" --server "$(node 2)"
	typed ip6tables -t nat -A PREROUTING -d $vip2 -j LBSP --server "$(node 3)" --server "$(node 4)"
	echo
	heading
	row $proxy1 $vip1 80 $c1 :: balancing
	row $proxy1 $vip1 80 $c1 "$(node 1)" 'segment 2'
	row2=$server
	row $proxy1 $vip1 21 $c1 :: balancing
	row $proxy2 $vip1 443 $c1 "$(node 1)" 'segment 2'
	row4=$server
	row $proxy1 $vip2 80 $c2 :: balancing
	row $proxy1 $vip2 80 $c2 "$(node 3)" 'segment 2'
	[ "$row2 $row4 $server" = "server1 server1 server3" ]
}

family 6
say "Proxies at $proxy1 and $proxy2, a balancer that is the services $vip1 and $vip2, behind it servers 1 to 4 at $(node 1) to $(node 4): network namespaces of one machine with Linux $(uname -r). The clients $c1 and $c2 are behind the proxies: the balancer sees them in segment 1 of the option only."
topology 4
ip address add $vip2/64 dev client nodad
ip -n client neigh add $vip2 lladdr 02:00:00:00:01:01 dev eth0
serve_options 4 80 21 443

title "1. Stock nft: bytes at a fixed place"
scene nft works FAILS FAILS
nft delete table ip6 lbsp
conntrack -F 2> flushed
say "nft reads no list of options, and its hash knows nothing of who had which server."

title "2. One rule, -j LBSP"
scene LBSP works works works
conntrack -F 2> flushed

title "3. The table of LBSP's slides: two services, each with its own servers"
rules=LBSP
deck > shown
ok=$?
cat shown
outcome "rows 2, 4 and 6 of the slides' table" "$(works [ $ok = 0 ])" works

say "Server 1 is to get no new clients, and serves those that it has:"
echo "  # echo drain $(node 1) > /proc/net/xt_lbsp/lbsp"
echo "drain $(node 1)" > /proc/net/xt_lbsp/lbsp
for i in 1 2 3 4 5 6 7 8; do server_of -1 "$c2:$i" $vip1 80; done | sort -u > new
row $proxy1 $vip1 80 $c1 "$(node 1)" 'segment 2' > shown
outcome "a drained server keeps its sessions, gets no new ones" \
	"$(works [ "$(cat new) $server" = "server2 server1" ])" works
typed cat /proc/net/xt_lbsp/lbsp
cp summary "$OUT"

title "Summary"
cat summary
echo
if [ $surprises -gt 0 ]; then
	echo "demo: FAILED, $surprises cases did not end as said above"
	exit 1
fi
echo "demo: OK, $(wc -l < summary) cases ended as said above"
