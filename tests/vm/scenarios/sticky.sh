#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: sessions without a CID stay with their node while nodes come, are drained
# and come again; and what goes with a node that goes.
. lib.sh

port=5684

# in_state STATE...: of node 1 and on, as a rule says them; "absent": it does not.
in_state() {
	k=0
	for state; do
		k=$((k + 1))
		case $state in
		absent) ;;
		*) echo "--node $k=$(node $k),$state" ;;
		esac
	done | xargs
}

serve_all() {
	for k in 1 2 3 4; do
		serve node$k "$@" "$(node $k)" $port
	done
}

got() { [ "$(cat node1 node2 node3 node4 | wc -l)" -ge "$1" ]; }

# sixty GENERATION DATAGRAM: from each of its clients.
sixty() {
	on client forge udp -n 60 -p 60 "$client" "3$1""000" "$vip" $port "$2"
}

# where ADDRESS PREFIX: each of its ports that begins so, and the node.
where() {
	for k in 1 2 3 4; do
		sed -n "s/^$1 \($2[0-9]*\) .*/\1 $k/p" node$k
	done | sort
}

# stay WHAT GENERATIONS: all their sessions are where they were.
stay() {
	serve_all sink
	for g in $(seq "$2"); do
		sixty "$g" "$no_cid"
	done
	wait_for 30 got $(($2 * 60))
	where "$client" 3 > now
	serve_no_more
	check "IPv$f: $1: the $(($2 * 60)) sessions stay" diff sessions now
}

# handshakes GENERATION WHAT NODES: new sessions go to these nodes, and all of them.
handshakes() {
	serve_all sink
	sixty "$1" "$client_hello"
	wait_for 30 got 60
	where "$client" "3$1" >> sessions
	is "IPv$f: $2: handshakes go to" "$(where "$client" "3$1" | cut -d ' ' -f 2 | sort -u | xargs)" "$3"
	serve_no_more
}

# serves WHAT NODE: its CIDs; and a flow born of one does not catch the handshake that
# comes from the same port.
serves() {
	serve_all sink
	on client forge udp -n 20 -p 20 "$client2" 41000 "$vip" $port "$(cid12 "$2")"
	wait_for 30 got 20
	is "IPv$f: $1: node $2 gets its CIDs" \
		"$(where "$client2" 41 | cut -d ' ' -f 2 | uniq -c | xargs)" "20 $2"
	on client forge udp -n 20 -p 20 "$client2" 41000 "$vip" $port "$client_hello"
	wait_for 30 got 40
	is "IPv$f: $1: and no handshake from the same ports" "$(grep -c "$client_hello" "node$2")" 0
	serve_no_more
	conntrack -D -f "ipv$f" -s "$client2" > deleted 2>&1
}

moving() { sed -n 's/.* moving-buckets=\([0-9]*\) .*/\1/p' "/proc/net/xt_dtlscid/s$f"; }

settled() { [ "$(moving)" -eq 0 ]; }

generations() {
	: > sessions
	replace s$f --timeout 100,100 "$(in_state up up up)"
	handshakes 1 "three nodes" "1 2 3"
	replace s$f --timeout 100,100 "$(in_state up up up up)"
	stay "node 4 added" 1
	handshakes 2 "node 4 added" "1 2 3 4"
	replace s$f --timeout 100,100 "$(in_state up up up drain)"
	stay "node 4 drained" 2
	handshakes 3 "node 4 drained" "1 2 3"
	serves "node 4 drained" 4
	replace s$f --timeout 100,100 "$(in_state drain up up up)"
	stay "node 4 up again, 1 drained" 3
	handshakes 4 "node 4 up again, 1 drained" "2 3 4"
	serves "node 4 up again, 1 drained" 1
	replace s$f --timeout 100,100 "$(in_state up drain up up)"
	stay "node 1 up again, 2 drained" 4
	check "IPv$f: $(moving) buckets are moving" test "$(moving)" -gt 0
}

# Each session's last datagram, when its flow is to live for a second more.
transition_ends() {
	replace s$f --timeout 1,1 "$(in_state up drain up up)"
	stay "a timeout of 1 s" 4
	check "IPv$f: the transition ends by itself" wait_for 30 settled
	is "IPv$f: all flows are gone" "$(zones | wc -l)" 0
	serve_all sink
	sixty 1 "$no_cid"
	wait_for 30 got 60
	is "IPv$f: with no flow, no session is the drained node's" "$(wc -l < node2)" 0
	serve_no_more
}

# through WHAT TIMES COMMAND: one client's datagrams, of a session without a CID and of
# two nodes, while the command runs so many times.  The session is first, as a flow that
# a CID began would bind no session without one.
through() {
	serve_all tally 11
	before=$(arrived node1 node2 node3 node4)
	on client udp send -s "$client" -p 42000 "$vip" $port "$no_cid" "$(cid12 1)" "$(cid12 2)"
	wait_for 30 arrived_since 3 node1 node2 node3 node4
	while_sending "$2" "$3" "$no_cid" "$(cid12 1)" "$(cid12 2)"
	each=$((each + 1))
	wait_for 60 arrived_since $((3 * each)) node1 node2 node3 node4
	serve_no_more
	is "IPv$f: $1, $times times: of $((3 * each)) datagrams each comes to its node" \
		"$(cat node? | sort)" "$(printf "$client 42000 %s $each\n" 0 1 2)"
}

# The session began without the fourth node.  A hundred transactions: to begin a program
# takes an emulated machine longer than one of these.
come_and_go() { "$tables-restore" -n < rules; }

hundred() {
	for _ in $(seq 50); do
		ruleset s$f "$(in_state up up drain up)"
		ruleset s$f "$(in_state up up up absent)"
	done
}

flush_conntrack() { conntrack -F 2> flushed; }

# The flows there are: zone, the service's port.
flows_left() { zones | awk '{ print $1, $7 }' | sort -u | xargs; }

three_flows() { [ "$(zones | grep -c " $port ")" -ge 3 ]; }

# An entry of somebody else in the zone of node 3, and one of node 2.
gone_nodes() {
	ahead="-A PREROUTING -d $vip -p udp --dport 7000 -j CT --zone-orig 1003
		-A PREROUTING -d $vip -p udp --dport 7001 -j CT --zone-orig 1002"
	replace s$f "$(in_state up up up)"
	on client udp send -p 43000 "$vip" $port "$(cid12 1)" "$(cid12 2)" "$(cid12 3)"
	on client udp send -p 43000 "$vip" 7000 00
	on client udp send -p 43000 "$vip" 7001 00
	wait_for 10 three_flows
	is "IPv$f: flows of three nodes, and of two others in their zones" "$(flows_left)" \
		"zone=1001 $port zone=1002 $port zone=1002 7001 zone=1003 $port zone=1003 7000"
	replace s$f "$(in_state up up absent)"
	is "IPv$f: node 3 is not there any more, and its flows" "$(flows_left)" \
		"zone=1001 $port zone=1002 $port zone=1002 7001 zone=1003 7000"
	replace s$f "$(in_state up down absent)"
	is "IPv$f: node 2 is down: its flows are gone" "$(flows_left)" \
		"zone=1001 $port zone=1002 7001 zone=1003 7000"
	ahead=
}

sysctl -q -w net.core.rmem_default=64000000 net.core.netdev_max_backlog=10000
topology 4
for f in 4 6; do
	family $f
	generations
	transition_ends
	replace s$f "$(in_state up up up absent)"
	hundred > rules
	hundreds=1
	! at_length $f || hundreds=10
	through "the rule replaced by a hundred others" $hundreds come_and_go
	through "conntrack's table flushed" 100 flush_conntrack
	gone_nodes
	"$tables" -t raw -F
	conntrack -F 2> flushed
done
topology_down
finish
