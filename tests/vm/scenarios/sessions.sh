#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Real sessions, DTLS 1.2 and 1.3, behind rules of one's own with -m dtlscid: four
# over two nodes, all open at once, stay with the node that did the handshake while
# their ports and addresses change.
. lib.sh
. ./peers.sh

sessions="1 2 3 4"

# Nobody else may use a session's ports: a flow entry left of another session
# would say where its datagrams go, before any rule is asked.
from() { echo $((20000 + 10 * $1 + $2)); }

# The sessions alternate between the nodes, the first is node 1's.
node_of() { echo $((2 - $1 % 2)); }

rule() {
	text=$1
	shift
	"$tables" -t nat -A PREROUTING -p udp --dport "$port" "$@" -m comment --comment "$text"
}

rules() {
	for k in 1 2; do
		rule cid$k -m dtlscid --node-id $k -j DNAT --to-destination "$(node $k)"
	done
	rule new1 -m statistic --mode nth --every 2 --packet 0 -j DNAT --to-destination "$(node 1)"
	rule new2 -j DNAT --to-destination "$(node 2)"
}

# What the four rules have counted; that is one packet a flow.
counted() {
	"$tables" -t nat -nvxL PREROUTING |
		sed -n 's/^ *\([0-9]*\) .*\/\* \(.*\) \*\/.*/\2:\1/p' | xargs
}

meet() {
	start_client "c$1" "$peer" --bind "$client" "$(from "$1" 0)" --wait 5000 "$vip" "$port"
	tell "c$1" connect
	tell "c$1" say hello
	wait_for 60 told "c$1" 1
}

wander() {
	for step in 1 2 3; do
		tell "c$1" move "$client" "$(from "$1" $step)"
		tell "c$1" say "step $step"
	done
	tell "c$1" move "$client2" "$(from "$1" 4)"
	tell "c$1" say step 4
	wait_for 60 told "c$1" 5
}

# expected_story K
expected_story() {
	echo "handshake 1 cid 0$1 answer node$1: hello$(printf " answer node$1: step %s" 1 2 3 4)"
}

# session WHAT N
session() {
	k=$(node_of "$2")
	zero "$tables" nat
	wander "$2"
	is "$1, session $2: one handshake, all answers of node $k" \
		"$(story "c$2")" "$(expected_story "$k")"
	is "$1, session $2: the four moves went by the rule of node $k" \
		"$(counted)" "cid1:$((k == 1 ? 4 : 0)) cid2:$((k == 2 ? 4 : 0)) new1:0 new2:0"
}

# all_sessions WHAT
all_sessions() {
	for k in 1 2; do : > node$k.log; done
	rules
	for n in $sessions; do
		meet "$n"
	done
	is "$1: handshakes go by no rule for a CID" "$(counted)" "cid1:0 cid2:0 new1:2 new2:2"
	for n in $sessions; do
		session "$1" "$n"
	done
	is "$1: two handshakes at each node" "$(events handshake)" "2 2"
	is "$1: eight moves seen by each node" "$(events moved)" "8 8"
	is "$1: no datagram at a node without its keys" "$(events unknown-cid)" "0 0"
	for n in $sessions; do
		stop_client "c$n"
	done
	"$tables" -t nat -F
}

topology 2
for version in 1.2 1.3; do
	peer_of $version
	start_nodes 2 "$peer" "$port"
	for f in 4 6; do
		family $f
		all_sessions "DTLS $version, IPv$f"
	done
done
topology_down
finish
