#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: a node that takes over another's sessions, and gives them back.
. lib.sh

port=5684

# Node 2 is where node 3 is.
taken_over() { echo "--node 1=$(node 1) --node 2=$(node 3) --node 3=$(node 3)"; }

takeover() {
	name=takeover$f
	replace "$name" "$(first_nodes 3)"
	serve_names 3
	is "IPv$f, takeover: before" "$(who_answers "$client" 40000 1 2 3)" "$(from_service 1 2 3)"
	replace "$name" "$(taken_over)"
	is "IPv$f, takeover: node 3 answers for node 2 at once" \
		"$(who_answers "$client" 40000 1 2 3)" "$(from_service 1 3 3)"
	replace "$name" "$(first_nodes 3)"
	is "IPv$f, takeover: and node 2 again" "$(who_answers "$client" 40000 1 2 3)" "$(from_service 1 2 3)"
	serve_no_more
	takeover_meanwhile
	forget
}

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
some_more() { wait_for 10 arrived_since $(($(arrived node1 node2 node3) - before + 600)) node1 node2 node3; }

# Here node 2 lives, and so counts what came before and after.
takeover_meanwhile() {
	tally_names 3
	before=$(arrived node1 node2 node3)
	rm -f quiet
	keep_sending &
	some_more
	replace "$name" "$(taken_over)"
	some_more
	replace "$name" "$(first_nodes 3)"
	some_more
	: > quiet
	wait $!
	each=$(cat quiet)
	wait_for 30 arrived_since $((3 * each)) node1 node2 node3
	serve_no_more
	is "IPv$f, takeover under traffic: nodes 1 and 3 have all of theirs, from the client's port" \
		"$(cat node1; grep ' 3 [0-9]*$' node3)" "$(printf "$client 42000 %s $each\n" 1 3)"
	is "IPv$f, takeover under traffic: nodes 2 and 3 have all of node 2's, from the same" \
		"$(grep -h ' 2 [0-9]*$' node2 node3 | awk '{ n += $4 } END { print $1, $2, NR, n }')" \
		"$client 42000 2 $each"
}

topology 3
sysctl -q -w net.core.rmem_default=64000000 net.core.netdev_max_backlog=10000
for f in 4 6; do
	family $f
	takeover
done
topology_down
finish
