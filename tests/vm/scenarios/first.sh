#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: a node sends to a client that has no flow.
. lib.sh

port=5684

# says NODE PORT HEX...: the node, from that port, to the client's port 40000.
says() {
	k=$1 from=$2
	shift 2
	on "node$k" udp send -s "$(node "$k")" -p "$from" "$client" 40000 "$@"
}

# hears COUNT: what the client has got, as "ADDRESS PORT" of the sender, in order.
hears() {
	wait_for 30 lines client "$1"
	cut -d ' ' -f 1,2 client | xargs
	serve_no_more
}

lines() { [ "$(wc -l < "$1")" -ge "$2" ]; }

# heard NODE PORT HEX...: what the client hears when the node says it.
heard() {
	serve client sink "$client" 40000
	says "$@"
	hears $(($# - 2))
}

no_flows() { [ -z "$(zones)" ]; }

# ask NODE: the answer to a CID of it from the client's port.
ask() { on client udp ask -s "$client" -p 40000 -t 10000 "$vip" $port "$(cid12 "$1")"; }

serve_nodes() {
	for k in 1 2; do serve node$k echo node$k "$(node $k)" $port; done
}

# The nodes of a name that is going still speak from its service.
clear() {
	"$tables" -t raw -F
	conntrack -F 2> flushed
	wait_for 30 no_names
}

# rule NAME OPTION...: two nodes, and nothing left of earlier rules.
rule() {
	clear
	name=$1$f
	shift
	balance "$name" --node 1="$(node 1)" --node 2="$(node 2)" "$@"
}

firsts() { sed -n 's/^node-first //p' "/proc/net/xt_dtlscid/$name"; }

learned() {
	rule learned --timeout 2,1
	is "IPv$f: nobody knows the service: the node's own address" "$(heard 1 $port 00)" "$(node 1) $port"
	conntrack -F 2> flushed
	serve_nodes
	is "IPv$f: a client asks node 1" "$(ask 1)" "node1 $vip $port"
	serve_no_more
	check "IPv$f: its flow expires" wait_for 30 no_flows
	is "IPv$f: node 1 speaks: from the service" "$(heard 1 $port 00)" "$vip $port"
	is "IPv$f: in the client's flow" "$(zones | cut -d ' ' -f 1,4-)" \
		"zone=1001 orig=$client 40000 $vip $port reply=$(node 1) $port $client 40000"
	is "IPv$f: node 2 too, that no client has asked" "$(heard 2 $port 00)" "$vip $port"
	is "IPv$f: they are counted" "$(firsts)" "flows=2 refused=0"
}

# Two services of a name: a node speaks from that which its last client came to.
services() {
	clear
	name=services$f
	"$tables" -t raw -A PREROUTING -d "$vip" -p udp -j DTLSCID --name "$name" \
		--node 1="$(node_port 1 $port)" --node 2="$(node_port 2 $port)"
	on client udp send -s "$client" -p 40001 "$vip" $port "$(cid12 1)"
	on client udp send -s "$client" -p 40001 "$vip" 5690 "$(cid12 2)"
	wait_for 10 judged "$name" 2
	is "IPv$f: two services: node 1 speaks from its own" "$(heard 1 $port 00)" "$vip $port"
	is "IPv$f: two services: node 2 too" "$(heard 2 $port 00)" "$vip 5690"
}

# Whichever speaks first, each CID reaches its own node, and no port is rewritten.
cids_after() {
	rule typed --vip "$(vip_port $port)"
	is "IPv$f: --vip, before any client: from the service" "$(heard 1 $port 00 01)" "$vip $port $vip $port"
	is "IPv$f: a second node to the same client" "$(heard 2 $port 00)" "$vip $port"
	serve_nodes
	is "IPv$f: then node 1's CID" "$(ask 1)" "node1 $vip $port"
	is "IPv$f: and node 2's" "$(ask 2)" "node2 $vip $port"
	serve_no_more
	conntrack -F 2> flushed
	is "IPv$f: node 1 alone speaks" "$(heard 1 $port 00)" "$vip $port"
	serve node2 sink -c 1 "$(node 2)" $port
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 2)"
	wait_for 30 lines node2 1
	is "IPv$f: then node 2's CID, from the client's own port" "$(cat node2)" "$client 40000 $(cid12 2)"
	serve_no_more
	is "IPv$f: two flows began at a node, of one each" "$(zones | wc -l) $(firsts)" "2 flows=3 refused=0"
}

vip_port() { [ "$f" = 4 ] && echo "$vip:$1" || echo "[$vip]:$1"; }

node_port() { [ "$f" = 4 ] && echo "$(node "$1"):$2" || echo "[$(node "$1")]:$2"; }

# What is not of the service, or goes to the balancer, is left alone.
others() {
	rule others --vip "$(vip_port $port)"
	is "IPv$f: another port of the node" "$(heard 1 9999 00)" "$(node 1) 9999"
	serve balancer sink -c 1 "${nodes}1" 40000
	on node1 udp send -s "$(node 1)" -p $port "${nodes}1" 40000 00
	wait_for 30 lines balancer 1
	is "IPv$f: to the balancer itself" "$(cut -d ' ' -f 1,2 balancer)" "$(node 1) $port"
	serve_no_more
	clear
	balance port$f --node 1="$(node_port 1 5700)" --vip "$(vip_port $port)"
	is "IPv$f: a node with a port of its own" "$(heard 1 5700 00)" "$vip $port"
	is "IPv$f: and its other ports" "$(heard 1 $port 00)" "$(node 1) $port"
	rule nodnat --no-dnat --vip "$(vip_port $port)"
	is "IPv$f: --no-dnat" "$(heard 1 $port 00)" "$(node 1) $port"
}

# More than fits into a packet, so that it comes in fragments.
large() {
	rule large --vip "$(vip_port $port)"
	is "IPv$f: a message in fragments" "$(heard 1 $port "$(printf '%08000d' 0)")" "$vip $port"
	is "IPv$f: of all its bytes" "$(awk '{ print length($3) / 2 }' client)" 4000
}

found() { grep -q '^icmp-errors found=1 ' "/proc/net/xt_dtlscid/$name"; }

error() {
	rule error --vip "$(vip_port $port)"
	says 1 $port 00
	check "IPv$f: an error about it finds its flow" wait_for 10 found
}

full() {
	rule full --vip "$(vip_port $port)" --max-flows 1
	on client udp send -s "$client" -p 40001 "$vip" $port "$(cid12 2)"
	serve client sink "$client" 40000
	says 1 $port 00
	on node1 udp send -s "$(node 1)" -p 9999 "$client" 40000 01
	is "IPv$f: past --max-flows it does not leave; what came later has" "$(hears 1)" "$(node 1) 9999"
	is "IPv$f: and is counted" "$(firsts)" "flows=0 refused=1"
}

# What comes from elsewhere with a node's address, is tracked in a zone that somebody
# asked for, or is answered by somebody else, is not a node that speaks first.
not_first() {
	rule forged --vip "$(vip_port $port)"
	serve node2 sink "$(node 2)" 9999
	on client forge udp "$(node 1)" $port "$(node 2)" 9999 00
	on node1 udp send -s "$(node 1)" -p 9998 "$(node 2)" 9999 01
	wait_for 30 lines node2 2
	is "IPv$f: forged on the clients' side" "$(firsts), $(sort node2 | xargs)" \
		"flows=0 refused=0, $(printf '%s\n' "$(node 1) $port 00" "$(node 1) 9998 01" | sort | xargs)"
	serve_no_more
	rule zone --vip "$(vip_port $port)"
	"$tables" -t raw -A PREROUTING -s "$(node 1)" -p udp -j CT --zone 5
	is "IPv$f: tracked in another zone" "$(heard 1 $port 00), $(firsts)" "$(node 1) $port, flows=0 refused=0"
	rule continue --new continue
	on client udp send -s "$client" -p 40001 "$vip" $port "$(cid12 2)"
	is "IPv$f: beside somebody else's handshakes" "$(heard 1 $port 00), $(firsts)" \
		"$(node 1) $port, flows=0 refused=0"
	rule down --vip "$(vip_port $port)"
	echo down 1 > "/proc/net/xt_dtlscid/$name"
	serve client sink "$client" 40000
	says 1 $port 00
	says 2 $port 01
	is "IPv$f: a node that is down is silent" "$(hears 1), $(firsts)" "$vip $port, flows=1 refused=1"
	balance "$name" --node 1="$(node 1)" --node 2="$(node 2)"
	is "IPv$f: what a rule said is not learned" \
		"$(sed -n 's/^node=.* vip=//p' "/proc/net/xt_dtlscid/$name" | xargs)" "- -"
}

# The node of the client's flow: its id, by its zone.
bound() { zones | sed -n "s/^zone=100\([0-9]\) .* orig=$client $1 .*/\1/p" | xargs; }

# A client whose hello was for a node that has been drained since, and has spoken to it.
drained() {
	rule drained --vip "$(vip_port $port)"
	for p in $(seq 41001 41020); do
		on client udp send -s "$client" -p "$p" "$vip" $port "$client_hello"
	done
	wait_for 10 judged "$name" 20
	for p in $(seq 41001 41020); do [ "$(bound "$p")" != 2 ] || break; done
	conntrack -F 2> flushed
	echo drain 2 > "/proc/net/xt_dtlscid/$name"
	on node2 udp send -s "$(node 2)" -p $port "$client" "$p" 00
	on client udp send -s "$client" -p "$p" "$vip" $port "$client_hello"
	wait_for 10 judged "$name" 21
	is "IPv$f: a node that is drained speaks: the client's next handshake is not its" \
		"$(bound "$p" | tr ' ' '\n' | sort | xargs), $(firsts)" "1 2, flows=1 refused=0"
}

speaks() {
	ip netns exec node1 forge udp -n 20000 "$(node 1)" $port "$client" 1 00 &
	sender=$!
}

# A node that speaks to client after client, and is taken from the rule meanwhile, which
# takes the longer the larger conntrack's table is.
removed() {
	buckets=$(sysctl -n net.netfilter.nf_conntrack_buckets)
	sysctl -q -w net.netfilter.nf_conntrack_buckets=262144
	rule removed --vip "$(vip_port $port)" --max-flows 1000000
	for _ in 1 2 3; do
		speaks
		sleep 0.3
		"$tables" -t raw -R PREROUTING 1 -d "$vip" -p udp --dport $port -j DTLSCID \
			--name "$name" --node 2="$(node 2)" --vip "$(vip_port $port)"
		is "IPv$f: a node is removed while it speaks: its flows" "$(flows "-$f" -c -z 1001:1001)" 0
		kill $sender
		"$tables" -t raw -R PREROUTING 1 -d "$vip" -p udp --dport $port -j DTLSCID \
			--name "$name" --node 1="$(node 1)" --node 2="$(node 2)" --vip "$(vip_port $port)"
	done
	sysctl -q -w net.netfilter.nf_conntrack_buckets="$buckets"
}

# Nor does a name without rules live for ever by it.
over() {
	rule over --timeout 2,1 --vip "$(vip_port $port)"
	says 1 $port 00
	"$tables" -t raw -F
	n=0
	while ! no_names && [ $n -lt 200 ]; do
		on node1 udp send -s "$(node 1)" -p $port "$client" $((41000 + n)) 00
		n=$((n + 1))
		sleep 0.1
	done
	check "IPv$f: a name without rules ends while a node speaks, $n times" no_names
}

# Half of --max-flows is for clients.
half() {
	rule half --vip "$(vip_port $port)" --max-flows 4
	for p in 1 2 3; do
		on node1 udp send -s "$(node 1)" -p $port "$client" 4100$p 00
	done
	is "IPv$f: three clients spoken to, of four flows: two begin" "$(firsts)" "flows=2 refused=1"
	on client udp send -s "$client" -p 42001 "$vip" $port "$(cid12 2)"
	on client udp send -s "$client" -p 42002 "$vip" $port "$(cid12 2)"
	wait_for 10 judged "$name" 2
	is "IPv$f: and two of clients" "$(news "$name")" "datagrams=2 cid12=2"
	is "IPv$f: those that did not begin are not counted as new" \
		"$(sed -n 's/^node=.* new-flows=\([0-9]*\) .*/\1/p' "/proc/net/xt_dtlscid/$name" | xargs)" "2 2"
}

# How long a flow has been, in seconds, by the time that conntrack noted.
age() { conntrack -L --orig-zone 1001 -f "ipv$f" 2> ended | sed -n 's/.* delta-time=\([0-9]*\) .*/\1/p'; }

stamped() {
	sysctl -q -w net.netfilter.nf_conntrack_timestamp=1
	rule stamped --vip "$(vip_port $port)"
	says 1 $port 00
	check "IPv$f: conntrack knows since when it is: $(age) s" test "$(age)" -le 5
	sysctl -q -w net.netfilter.nf_conntrack_timestamp=0
}

event() {
	rule event --vip "$(vip_port $port)"
	conntrack -E -e NEW -p udp > events 2> ended &
	listener=$!
	for _ in $(seq 20); do
		! grep -q ' sport=' events || break
		conntrack -D --orig-zone 1001 > deleted 2>&1
		heard 1 $port 00 > told
	done
	kill $listener
	wait $listener
	is "IPv$f: conntrack -E tells of it" "$(grep -o 'zone-orig=[0-9]*' events | sort -u)" zone-orig=1001
}

topology 2
for f in 4 6; do
	family $f
	learned
	services
	cids_after
	others
	large
	error
	full
	half
	stamped
	event
	not_first
	drained
	removed
	over
	clear
done
topology_down
finish
