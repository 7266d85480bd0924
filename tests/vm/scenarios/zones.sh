#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: an address and port of a client has a flow to each node, in a zone of
# that node, so that what names one node never goes to another.
. lib.sh

port=5684

# What a full queue of a processor has lost.
dropped() {
	lost=0
	while read -r _ n _; do lost=$((lost + 0x$n)); done < /proc/net/softnet_stat
	echo $lost
}

# Whether each of $1 datagrams has arrived or is lost.
all_accounted() {
	[ $(($(arrived node1 node2) + $(dropped) - before)) -ge "$1" ]
}

tally() {
	for k in 1 2; do
		serve node$k tally 11 "$(node $k)" $port
	done
	before=$(($(arrived node1 node2) + $(dropped)))
}

# clashes: what went wrong in conntrack.
clashes() {
	conntrack -S | tr ' ' '\n' |
		awk -F = '/^(insert_failed|drop|early_drop|error|clash_resolve|chaintoolong)=/ { n += $2 }
			END { print n }'
}

# flow K: the one entry of the client's port 40000 and node K.
flow() {
	echo "zone=$((1000 + $1)) mark=0x0 status=${2}dst-nat orig=$client 40000 $vip $port" \
		"reply=$(node "$1") $port $client 40000"
}

alternating() {
	tally
	on client udp send -s "$client" -p 40000 -n 500 "$vip" $port "$(cid12 1)" "$(cid12 2)"
	wait_for 30 all_accounted 1000
	serve_no_more
	is "IPv$f: of 1,000 datagrams for two nodes in turn, node 1 got its own" \
		"$(cat node1)" "$client 40000 1 500"
	is "IPv$f: and node 2 got its own" "$(cat node2)" "$client 40000 2 500"
	is "IPv$f: there is an entry for each node, in its zone" "$(zones)" "$(flow 1; flow 2)"
	is "IPv$f: all were counted" "$(news v$f)" "datagrams=1000 cid12=1000"
}

# From here on it is one address and port for two processes on two processors.
# The flows are there before: new ones would race for the entry, as with any rule.
race() {
	tally
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 1)" "$(cid12 2)"
	wait_for 30 all_accounted 2
	wrong=$(clashes) lost=$(dropped)
	for cpu in 1 "$(nproc)"; do
		ip netns exec client taskset "$cpu" udp send -r -s "$client" -p 40000 -n 10000 \
			"$vip" $port "$(cid12 1)" "$(cid12 2)" &
		senders="$senders $!"
	done
	# shellcheck disable=SC2086 # numbers
	wait $senders
	wait_for 60 all_accounted 40002
	lost=$(($(dropped) - lost))
	serve_no_more
	cat node1 node2 > both
	is "IPv$f: two senders: each node got datagrams of one port and its CID only" \
		"$(cut -d ' ' -f 1-3 both)" "$(printf '%s\n' "$client 40000 1" "$client 40000 2")"
	is "IPv$f: two senders: of 40,000 datagrams all arrived, or were lost in full queues" \
		"$(awk -v lost=$lost '{ n += $4 } END { print n - 2 + lost }' both)" 40000
	echo "# $lost lost: $(cut -d ' ' -f 4 both | xargs) of 20,001"
	is "IPv$f: two senders: no clash, no failed insertion" $(($(clashes) - wrong)) 0
	is "IPv$f: two senders: there are two entries still" "$(zones)" "$(flow 1; flow 2)"
}

# Node 1 answers after the client has been to node 2.
late_reply() {
	serve node1 sink -c 1 "$(node 1)" $port
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 1)"
	wait_for 30 test -s node1
	serve node2 echo node2 "$(node 2)" $port
	is "IPv$f: node 2 is asked, and answers" \
		"$(on client udp ask -s "$client" -p 40000 -t 10000 "$vip" $port "$(cid12 2)")" \
		"node2 $vip $port"
	serve client sink -c 1 "$client" 40000
	on node1 udp send -s "$(node 1)" -p $port "$client" 40000 "$no_cid"
	wait_for 30 test -s client
	is "IPv$f: node 1's late answer comes from the service" "$(cat client)" "$vip $port $no_cid"
	is "IPv$f: both flows have seen an answer" \
		"$(zones | sed 's/assured,//')" "$(flow 1 seen-reply,; flow 2 seen-reply,)"
	serve_no_more
}

# A node that has died, and the one that has taken over its sessions.
one_address() {
	"$tables" -t raw -F
	conntrack -F 2> flushed
	balance one$f --node 1="$(node 1)" --node 2="$(node 1)" --node 3="$(node 2)",weight=0
	serve node1 sink "$(node 1)" $port
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 1)" "$(cid12 2)" "$client_hello"
	wait_for 30 lines 3 node1
	is "IPv$f: two ids, one address: both reach it, and what has no CID, from the client's port" \
		"$(cat node1)" "$(printf "$client 40000 %s\n" "$(cid12 1)" "$(cid12 2)" "$client_hello")"
	is "IPv$f: two ids, one address: one entry" "$(zones)" "$(flow 1)"
	serve_no_more
}

lines() { [ "$(wc -l < "$2")" -ge "$1" ]; }

watch_client() {
	on client "$tables" -t raw -A PREROUTING -s "${nodes}0/$((f == 4 ? 24 : 64))"
}

seen_at_client() {
	on client "$tables" -t raw -nvxL PREROUTING | awk 'NR == 3 { print $1 }'
}

sysctl -q -w net.core.rmem_default=16000000 net.core.netdev_max_backlog=10000
topology 2
for f in 4 6; do
	family $f
	watch_client
	balance v$f --node 1="$(node 1)" --node 2="$(node 2)" --cid-length 6
	alternating
	race
	late_reply
	one_address
	is "IPv$f: the client never saw a node's address" "$(seen_at_client)" 0
	"$tables" -t raw -F
	conntrack -F 2> flushed
done
topology_down
finish
