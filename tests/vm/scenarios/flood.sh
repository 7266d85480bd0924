#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: datagrams with the ids of nodes from a million forged addresses fill
# --max-flows and no more; flows that are there, and other users of conntrack, lose
# nothing.
. lib.sh

port=5684
limit=4096

flood_rule() {
	"$tables" -t raw -A PREROUTING -d "$vip" -p udp --dport $port -m comment --comment seen
	balance f$f --max-flows $limit --timeout "$1" \
		--node 1="$(node 1)" --node 2="$(node 2)" --node 3="$(node 3)"
}

# What comes from forged addresses is counted at the nodes and not answered.
serve_all() {
	for k in 1 2 3; do
		serve node$k echo node$k "$(node $k)" $port
		on node$k "$tables" -t raw -A PREROUTING -p udp --dport $port -m comment --comment all
		on node$k "$tables" -t raw -A PREROUTING -p udp --dport $port -s "$forged" -j DROP
		on node$k "$tables" -t raw -A PREROUTING -p udp --sport 50000:59999 \
			-m comment --comment moved
	done
	ip netns exec node1 udp echo other "$(node 1)" 7777 &
	served="$served $!"
	wait_for 10 listening node1 7777
}

# arrived COMMENT: how many datagrams the nodes have got by those rules.
arrived() {
	for k in 1 2 3; do
		ip netns exec node$k "$tables" -t raw -nvxL PREROUTING
	done | awk -v text="/* $1 */" 'index($0, text) { n += $1 } END { print n }'
}

# counted REASON
counted() { counts f$f | sed -n "s/^$1=//p"; }

# ask PORT NODE MILLISECONDS: whether the node answers.
ask() {
	[ "$(on client udp ask -s "$client" -p "$1" -t "$3" "$vip" $port "$(cid12 "$2")")" = \
		"node$2 $vip $port" ]
}

# ask_other PORT: the same of a service that the balancer only forwards to.
ask_other() {
	[ "$(on client udp ask -s "$client" -p "$1" -t 5000 "$(node 1)" 7777 00)" = \
		"other $(node 1) 7777" ]
}

# Flows that have had answers for more than 2 s have the longer timeout.
long_lived() {
	for i in $(seq 10); do
		ask $((40000 + i)) $((i % 3 + 1)) 5000 || echo "$i: no answer"
	done
	[ "$(flows "-$f" -z 1000:1999 | awk -F '[= ]' '$4 > 50' | wc -l)" -eq 10 ]
}

# One round of what goes on beside the flood: one of the answered flows, a new flow of
# another service, ten clients with a new port.
beside() {
	n=$(ours) all=$(entries)
	[ "$n" -le "$most" ] || most=$n
	[ "$all" -le "$most_entries" ] || most_entries=$all
	i=$((rounds % 10 + 1))
	rounds=$((rounds + 1))
	ask $((40000 + i)) $((i % 3 + 1)) 5000 || lost=$((lost + 1))
	ask_other $((41000 + rounds)) || others_lost=$((others_lost + 1))
	on client forge udp -n 10 -p 10 "$client" $((50000 + 10 * rounds)) "$vip" $port \
		"$(cid12 1)" "$(cid12 2)" "$(cid12 3)"
}

# flood COUNT
flood() {
	most=0 most_entries=0 rounds=0 lost=0 others_lost=0
	start=$(uptime_s)
	ip netns exec client forge udp -n "$1" "$first" 1024 "$vip" $port \
		"$(cid12 1)" "$(cid12 2)" "$(cid12 3)" &
	flood=$!
	while kill -0 $flood 2> ended; do
		beside
	done
	wait $flood
	echo "# IPv$f: $1 datagrams in $(($(uptime_s) - start)) s, $rounds rounds"
	check "IPv$f: $rounds rounds beside the flood" test $rounds -ge 5
	check "IPv$f: most of our entries at a time: $most" test "$most" -le $limit -a "$most" -gt $((limit / 2))
	check "IPv$f: most entries in memory: $most_entries" test "$most_entries" -le $((limit + rounds + 100))
	is "IPv$f: answered flows: lost" $lost 0
	is "IPv$f: new flows of others: lost" $others_lost 0
	echo "# IPv$f: clients with a new port that reach their node meanwhile:" \
		"$(arrived moved) of $((10 * rounds))"
}

all_through() { [ "$(arrived all)" -eq "$(counted cid12)" ]; }

sums() {
	check "IPv$f: cid12 is what the nodes got: $(counted cid12)" wait_for 30 all_through
	is "IPv$f: datagrams is what came" \
		"$(counted datagrams)" "$(packets "$tables" raw PREROUTING seen)"
	is "IPv$f: cid12 and max-flows are all of them" \
		$(($(counted cid12) + $(counted max-flows))) "$(counted datagrams)"
	check "IPv$f: most are refused: $(counted max-flows)" \
		test "$(counted max-flows)" -gt $(($(counted datagrams) / 2))
}

# Our own are the ten, and what the last round has left.
drained() { [ "$(ours)" -le 10 ] && [ "$(entries)" -le $((before + 10 + rounds)) ]; }

afterwards() {
	check "IPv$f: the forged flows go by themselves" wait_for 30 drained
	refused=$(counted max-flows)
	answers=0
	for i in $(seq 20); do
		! ask $((60000 + i)) $((i % 3 + 1)) 5000 || answers=$((answers + 1))
	done
	is "IPv$f: new flows work again: answers, refused" \
		"$answers $(($(counted max-flows) - refused))" "20 0"
}

# forge_flows ADDRESS COUNT [PORT]: that many, by a hundred ports of each address from
# there on; nobody answers.
forge_flows() {
	on client forge udp -n "$2" -p 100 "$1" "${3:-1024}" "$vip" $port "$(cid12 1)"
}

# Each time some of the oldest flows are over, at the ends of long chains of others.
# Those that are counted cannot be more than conntrack's entries were just before, but
# for the last that were still on their way.
count_of_the_living() {
	balance c$f --timeout 2,2 --node 1="$(node 1)"
	excess=-100000 over=0
	for round in $(seq 40); do
		forge_flows "$first" 600 $((100 * round))
		all=$(entries)
		more=$(($(sed -n 's/^name=.* flows=\([0-9]*\).*/\1/p' /proc/net/xt_dtlscid/c$f) - all))
		[ $more -le $excess ] || excess=$more
		[ $more -ge 0 ] || over=$((over + 1))
	done
	check "IPv$f: some entries were over, $over times of 40" test $over -gt 0
	check "IPv$f: never were more counted than there are; by $excess at most" test $excess -le 600
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

all_over() { [ "$(ours)" -eq 0 ]; }

# At no time are there more than a tenth of the limit; but nobody tells the target of
# their end.
never_full() {
	balance n$f --timeout 1,1 --max-flows 20000 --node 1="$(node 1)"
	for round in $(seq 13); do
		forge_flows "$first" 2000 $((1000 * round))
		wait_for 20 all_over
	done
	is "IPv$f: thirteen times 2,000 flows of 20,000, each time the last are over: refused" \
		"$(counts n$f | grep max-flows)" max-flows=0
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

modprobe nf_conntrack
sysctl -q -w net.netfilter.nf_conntrack_buckets=512
sysctl -q -w net.netfilter.nf_conntrack_max=65536 net.core.netdev_max_backlog=10000
topology 3
for f in 4 6; do
	at_length $f || continue
	family $f
	case $f in
	4) first=10.0.0.1 forged=10.0.0.0/8 count=1000000 ;;
	6) first=fd00::1 forged=fd00::/8 count=200000 ;;
	esac
	count_of_the_living
	never_full
	before=$(entries)
	flood_rule 100,4
	serve_all
	check "IPv$f: ten flows have their answers" wait_for 30 long_lived
	flood "$count"
	sums
	afterwards
	serve_no_more
	"$tables" -t raw -F
	conntrack -F 2> flushed
done
topology_down
finish
