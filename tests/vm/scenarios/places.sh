#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID in other places: nodes without a way back, many service addresses, and
# datagrams that are left to the balancer itself.
. lib.sh

# Nodes without a way to the clients: for them all comes from the balancer.

no_route() { ! on node1 ip "-$f" route get "$client"; }

no_way_back() {
	name=hidden$f
	for k in 1 2 3; do on node$k ip "-$f" route delete default; done
	check "IPv$f, MASQUERADE: a node has no route to the client" no_route
	"$tables" -t nat -A POSTROUTING -o nodes -j MASQUERADE
	replace "$name" "$(first_nodes 3)"
	serve_names 3
	is "IPv$f, MASQUERADE: two nodes in turn answer from the service" \
		"$(who_answers "$client" 40000 1 2 1 2)" "$(from_service 1 2 1 2)"
	is "IPv$f, MASQUERADE: and a client that has the same port" \
		"$(who_answers "$client2" 40000 1 2 1 2)" "$(from_service 1 2 1 2)"
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
	serve_names 3
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
	replace "$name" "$(first_nodes 3) --unknown continue"
	is "IPv$f, --unknown continue: the client hears from the service that nobody listens" \
		"$(hears 5000)" "1 $([ "$f" = 4 ] && echo 3 3 || echo 1 4) 0 $vip"
	is "IPv$f, --unknown continue: it was counted" "$(news $name)" "datagrams=1 unknown-node=1"
	replace "$name" "$(first_nodes 3) --unknown drop"
	is "IPv$f, --unknown drop: the client hears of nothing" "$(hears 500)" ""
	is "IPv$f, --unknown drop: it was counted" "$(news $name)" "datagrams=1 unknown-node=1"
	forget
}

topology 3
for f in 4 6; do
	family $f
	no_way_back
	many_addresses
	unknown
done
topology_down
finish
