#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Real sessions, DTLS 1.2 and 1.3: six over two nodes, all open at once, stay with
# the node that did the handshake while their ports and addresses change.
. lib.sh

sessions="1 2 3 4 5 6"

# Nobody else may use a session's ports: a flow entry left of another session
# would say where its datagrams go, before any rule is asked.
from() { echo $((20000 + 10 * $1 + $2)); }

# The sessions alternate between the nodes, the first is node 1's.
home() { echo $((2 - $1 % 2)); }

# start_nodes PEER: both listen to both families.
start_nodes() {
	for k in 1 2; do
		: > node$k.log
		on node$k ./"$1" server --node $k --cid-length 6 :: "$port" >> node$k.log 2>&1 &
		wait_for 10 grep -q listening node$k.log
	done
}

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

# Client N reads its commands from file descriptor N + 2.  Opened to read as well, the
# FIFO blocks nobody here when a client has died.
# start_client PEER N
start_client() {
	rm -f "commands$2"
	mkfifo "commands$2"
	on client ./"$1" client --bind "$client" "$(from "$2" 0)" --wait 5000 "$vip" "$port" \
		< "commands$2" > "client$2.log" 2>&1 &
	clients="$clients $!"
	eval "exec $(($2 + 2))<> commands$2"
}

stop_clients() {
	exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-
	# shellcheck disable=SC2086 # numbers
	wait $clients
}

# tell N: what stands on standard input.
tell() {
	eval "cat >&$(($1 + 2))"
}

# told N COUNT: whether so many messages were answered, or waited for in vain.
told() {
	[ "$(grep -cE '^(answer|timeout|not-connected|session-lost)' "client$1.log")" -ge "$2" ]
}

meet() {
	printf '%s\n' connect 'say hello' | tell "$1"
	wait_for 60 told "$1" 1
}

wander() {
	tell "$1" <<-END
	move $client $(from "$1" 1)
	say one
	move $client $(from "$1" 2)
	say two
	move $client $(from "$1" 3)
	say three
	move $client2 $(from "$1" 4)
	say four
	END
	wait_for 60 told "$1" 5
}

# story N: the client's log without the random part of the CID.
story() {
	sed 's/\(cid ..\).*/\1/' "client$1.log" | xargs
}

# expected_story K
expected_story() {
	echo "handshake 1 cid 0$1$(printf " answer node$1: %s" hello one two three four)"
}

# events WORD: how many lines of each node's log begin with it.
events() {
	grep -c "^$1 " node1.log node2.log | cut -d : -f 2 | xargs
}

# session WHAT N
session() {
	k=$(home "$2")
	zero "$tables" nat
	wander "$2"
	is "$1, session $2: one handshake, all answers of node $k" "$(story "$2")" "$(expected_story "$k")"
	is "$1, session $2: the four moves went by the rule of node $k" \
		"$(counted)" "cid1:$((k == 1 ? 4 : 0)) cid2:$((k == 2 ? 4 : 0)) new1:0 new2:0"
}

# six_sessions WHAT PEER
six_sessions() {
	for k in 1 2; do : > node$k.log; done
	clients=
	rules
	for n in $sessions; do
		start_client "$2" "$n"
		meet "$n"
	done
	is "$1: handshakes go by no rule for a CID" "$(counted)" "cid1:0 cid2:0 new1:3 new2:3"
	for n in $sessions; do
		session "$1" "$n"
	done
	is "$1: three handshakes at each node" "$(events handshake)" "3 3"
	is "$1: twelve moves seen by each node" "$(events moved)" "12 12"
	is "$1: no datagram at a node without its keys" "$(events unknown-cid)" "0 0"
	stop_clients
	"$tables" -t nat -F
}

topology 2
for version in 1.2 1.3; do
	case $version in
	1.2) peer=dtls-peer port=5684 ;;
	1.3) peer=dtls13-peer port=5685 ;;
	esac
	start_nodes "$peer"
	for f in 4 6; do
		family $f
		six_sessions "DTLS $version, IPv$f" "$peer"
	done
done
topology_down
finish
