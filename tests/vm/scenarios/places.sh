#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID in networks of other shapes: nodes without a way back, many service
# addresses, a node that takes over from another, one network for clients and nodes;
# and users who are not root of the balancer.
. lib.sh

# asked ADDRESS PORT ID...: who answers datagrams from there, with the CIDs of these
# nodes, and from where.
asked() {
	from=$1 p=$2
	shift 2
	for k; do
		on client udp ask -s "$from" -p "$p" -t 5000 "$vip" "$port" "$(cid12 "$k")"
	done
}

# from_service ID...: what they answer when all is well.
from_service() { printf "node%s $vip $port\n" "$@"; }

# replace OPTION...: the rule, in place of what there was.
replace() {
	printf '%s\n' '*raw' '-F PREROUTING' \
		"-A PREROUTING -d $vip -p udp --dport $port -j DTLSCID --name $name $*" COMMIT |
		"$tables-restore" -n
}

serve_names() {
	for k in 1 2 3; do serve node$k echo node$k "$(node $k)" "$port"; done
}

# three: the nodes, of which the second may be elsewhere.
three() { echo "--node 1=$(node 1) --node 2=$(node "${1:-2}") --node 3=$(node 3)"; }

forget() {
	serve_no_more
	for table in raw nat; do "$tables" -t $table -F; done
	conntrack -F 2> flushed
}

# Nodes without a way to the clients: for them all comes from the balancer.

no_route() { ! on node1 ip "-$f" route get "$client"; }

no_way_back() {
	name=hidden$f
	for k in 1 2 3; do on node$k ip "-$f" route delete default; done
	check "IPv$f, MASQUERADE: a node has no route to the client" no_route
	"$tables" -t nat -A POSTROUTING -o nodes -j MASQUERADE
	replace "$(three)"
	serve_names
	is "IPv$f, MASQUERADE: two nodes in turn answer from the service" \
		"$(asked "$client" 40000 1 2 1 2)" "$(from_service 1 2 1 2)"
	is "IPv$f, MASQUERADE: and a client that has the same port" \
		"$(asked "$client2" 40000 1 2 1 2)" "$(from_service 1 2 1 2)"
	serve_no_more
	node_sees
	node_hears
	for k in 1 2 3; do on node$k ip "-$f" route add default via "${nodes}1"; done
	forget
}

# Two clients have one port; conntrack gives one of them another, as with any NAT.
node_sees() {
	serve node1 sink "$(node 1)" "$port"
	for address in "$client" "$client2"; do
		on client udp send -s "$address" -p 40000 "$vip" "$port" "$(cid12 1)"
	done
	wait_for 10 lines 2 node1
	is "IPv$f, MASQUERADE: the node sees the balancer for both clients" \
		"$(cut -d ' ' -f 1 node1 | xargs)" "${nodes}1 ${nodes}1"
	is "IPv$f, MASQUERADE: the first one's port, and another" \
		"$(awk '{ print $2 == 40000 }' node1 | xargs)" "1 0"
	serve_no_more
}

lines() { [ "$(wc -l < "$2")" -ge "$1" ]; }

# An error does not say which node it is for, so the client's port is one that has been
# to no other.
# shellcheck disable=SC2086 # numbers
node_hears() {
	case $f in
	4) unreachable='3 3 0' too_big='3 4 1280' ;;
	6) unreachable='1 4 0' too_big='2 0 1280' ;;
	esac
	on client udp send -s "$client" -p 40001 "$vip" "$port" "$(cid12 1)"
	probe="on node1 forge probe -l 1300 -t 5000 $(node 1) $port ${nodes}1 40001 00"
	is "IPv$f, MASQUERADE: the node hears that the client's port is closed" \
		"$($probe)" "1 $unreachable ${nodes}1"
	serve client sink "$client" 40001
	$probe > heard &
	wait_for 10 test -s client
	on client forge icmp "$client" "$vip" $too_big "$vip" "$port" "$client" 40001
	wait $!
	is "IPv$f, MASQUERADE: and that its way is narrow" "$(cat heard)" "1 $too_big ${nodes}1"
	is "IPv$f, MASQUERADE: what the client got came from the service" \
		"$(cut -d ' ' -f 1,2 client)" "$vip $port"
	serve_no_more
}

# A set of 254 service addresses, behind one rule.

service_addresses() {
	case $f in
	4) seq 254 | sed 's/^/203.0.113./' ;;
	6) seq 254 | sed 's/^/2001:db8:3::/' ;;
	esac
}

# questions: for each address and two nodes, from a port of its own.
questions() {
	service_addresses | awk -v client="$client" -v port="$port" -v one="$(cid12 1)" -v two="$(cid12 2)" '{
		ask = "udp ask -t 5000 -s " client " -p " 20000 + NR " " $1 " " port " "
		print ask one; print ask two }'
}

many_addresses() {
	name=many$f
	ipset create vips$f hash:ip family inet"${f#4}"
	service_addresses | sed "s/^/add vips$f /" | ipset restore
	service_addresses | sed 's/.*/addr add & dev lo/' | ip -batch -
	"$tables" -t raw -A PREROUTING -p udp --dport "$port" -m set --match-set vips$f dst \
		-j DTLSCID --name $name --node 1="$(node 1)" --node 2="$(node 2)" --timeout 600,600
	serve_names
	questions > ask
	on client sh ./ask > answers
	service_addresses | sed "s/.*/node1 & $port\nnode2 & $port/" > wanted
	check "IPv$f: 254 service addresses: two nodes, each answer from its own address" \
		diff wanted answers
	is "IPv$f: 254 service addresses: a flow for each, and each node" "$(zones | wc -l)" 508
	forget
	service_addresses | sed "s,.*,addr delete &/$((f == 4 ? 32 : 128)) dev lo," | ip -batch -
	ipset destroy vips$f
}

# What --unknown continue lets go on comes to the balancer itself, where nobody listens.

# hears MILLISECONDS: of what, who sends a CID of no node.
hears() {
	on client forge probe -t "$1" "$client" 40000 "$vip" "$port" "$(cid12 9)"
}

unknown() {
	name=unknown$f
	replace "$(three) --unknown continue"
	is "IPv$f, --unknown continue: the client hears from the service that nobody listens" \
		"$(hears 5000)" "1 $([ "$f" = 4 ] && echo 3 3 || echo 1 4) 0 $vip"
	is "IPv$f, --unknown continue: it was counted" "$(news $name)" "datagrams=1 unknown-node=1"
	replace "$(three) --unknown drop"
	is "IPv$f, --unknown drop: the client hears of nothing" "$(hears 500)" ""
	is "IPv$f, --unknown drop: it was counted" "$(news $name)" "datagrams=1 unknown-node=1"
	forget
}

# Node 2 is dead; node 3 has its sessions, and gives them back.

takeover() {
	name=takeover$f
	replace "$(three)"
	serve_names
	is "IPv$f, takeover: before" "$(asked "$client" 40000 1 2 3)" "$(from_service 1 2 3)"
	replace "$(three 3)"
	is "IPv$f, takeover: node 3 answers for node 2 at once" \
		"$(asked "$client" 40000 1 2 3)" "$(from_service 1 3 3)"
	replace "$(three)"
	is "IPv$f, takeover: and node 2 again" "$(asked "$client" 40000 1 2 3)" "$(from_service 1 2 3)"
	serve_no_more
	takeover_meanwhile
	forget
}

# so_many COUNT: whether so many datagrams have come to the nodes since.
so_many() { [ $(($(arrived node1 node2 node3) - before)) -ge "$1" ]; }

# keep_sending: 200 datagrams for each node, again and again, until there is a file
# "quiet"; then, how many for each there were.
keep_sending() {
	each=0
	while [ ! -e quiet ]; do
		on client udp send -s "$client" -p 42000 -n 200 \
			"$vip" "$port" "$(cid12 1)" "$(cid12 2)" "$(cid12 3)"
		each=$((each + 200))
	done
	echo $each > quiet
}

# some_more: until some have come since.
some_more() { wait_for 10 so_many $(($(arrived node1 node2 node3) - before + 600)); }

# Here node 2 lives, and so counts what came before and after.
takeover_meanwhile() {
	for k in 1 2 3; do serve node$k tally 11 "$(node $k)" "$port"; done
	before=$(arrived node1 node2 node3)
	rm -f quiet
	keep_sending &
	some_more
	replace "$(three 3)"
	some_more
	replace "$(three)"
	some_more
	: > quiet
	wait $!
	each=$(cat quiet)
	wait_for 30 so_many $((3 * each))
	serve_no_more
	is "IPv$f, takeover under traffic: nodes 1 and 3 have all of theirs, from the client's port" \
		"$(cat node1; grep ' 3 [0-9]*$' node3)" "$(printf "$client 42000 %s $each\n" 1 3)"
	is "IPv$f, takeover under traffic: nodes 2 and 3 have all of node 2's, from the same" \
		"$(grep -h ' 2 [0-9]*$' node2 node3 | awk '{ n += $4 } END { print $1, $2, NR, n }')" \
		"$client 42000 2 $each"
}

# Users: one who is nobody here, but root of a namespace of his own.

as_user() { su tcpdump -c "$*"; }

# It says of what is done in it: the answer, the counters, the states.
user_space() {
	cat <<-END
	export XTABLES_LOCKFILE=/tmp/lock.$f
	ip link set lo up
	$tables -t raw -A OUTPUT -p udp --dport $port -j DTLSCID --name own --node 1=$1
	udp send $1 $port $(cid12 1)
	sed -n 's/^datagrams=1 .*/counts/p' /proc/net/xt_dtlscid/own
	echo drain 1 > /proc/net/xt_dtlscid/own
	sed -n 's/.* state=\([a-z]*\) .*/\1/p' /proc/net/xt_dtlscid/own
	ls /proc/net/xt_dtlscid
	END
}

users() {
	name=host$f
	replace "$(three)"
	file=/proc/1/net/xt_dtlscid/$name
	for way in sh 'unshare -Urn sh'; do
		check "IPv$f, $way: another user cannot read the balancer's state" \
			refused as_user "$way -c 'cat $file'"
		check "IPv$f, $way: nor write there" refused as_user "$way -c 'echo drain 1 > $file'"
	done
	# The file is his, as he has the number of the one whom it belongs to.
	check "IPv$f: nor can root read it who has given up his capabilities here" \
		refused unshare -Ur cat "$file"
	user_space "$([ "$f" = 4 ] && echo 127.0.0.1 || echo ::1)" > space
	is "IPv$f: root of another user namespace has rules and names there" \
		"$(as_user "unshare -Urn sh ./space" | xargs)" "counts drain own"
	is "IPv$f: the balancer's state is as it was" \
		"$(sed -n 's/.* state=\([a-z]*\) .*/\1/p' "$file" | xargs)" "up up up"
	forget
}

# refused COMMAND...: whether it has no right to.
refused() { ! "$@" > said 2>&1 && grep -q -e 'Permission denied' -e 'not permitted' said; }

# One network for all, of which the balancer has one interface: here the nodes' bridge.
# The client is a router too, behind which there are outside addresses.  For IPv6 a
# redirect comes from a link-local address, so the routes go by those.

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
past_balancer() { [ "$(asked "$inside" 40000 1)" = "node1 $(node 1) $port" ]; }

# stays WHAT ADDRESS ID: its answers to a client there come from the service, and go on to.
stays() {
	is "IPv$f, one network: $1" "$(asked "$2" 40000 "$3" "$3" "$3" "$3")" \
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
	replace "$(three)"
	serve_names
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
	asked "${outside}3" 40000 3 > answer
	check "IPv$f, one network: but one does if the balancer may send it" \
		test "$(redirects 3)" -gt 0
}

topology 3
sysctl -q -w net.core.rmem_default=64000000 net.core.netdev_max_backlog=10000
for f in 4 6; do
	family $f
	no_way_back
	many_addresses
	unknown
	takeover
	users
done
topology 3
one_link
for f in 4 6; do
	family $f
	one_network
done
topology_down
finish
