#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: rules that come and go while there are flows, and namespaces that end.
. lib.sh

port=5684

new_flows() { sed -n 's/.* new-flows=\([0-9]*\) .*/\1/p' "/proc/net/xt_dtlscid/$name" | xargs; }

ask() { on client udp ask -s "$client" -p 40000 -t 10000 "$vip" $port "$1"; }

# The rule is replaced all the time, by one with another node more or less.
larger_and_smaller() {
	for rule in larger smaller; do "$tables-restore" -n < "$rule"; done
}

replaced() {
	name=replaced$f
	two="--node 1=$(node 1) --node 2=$(node 2),weight=0"
	ruleset $name "$two" > smaller
	ruleset $name "$two --node 3=$(node 3),weight=0" > larger
	"$tables-restore" -n < smaller
	tally_names 2
	before=$(arrived node1 node2)
	while_sending 3 larger_and_smaller "$(cid12 1)" "$(cid12 2)" "$client_hello"
	wait_for 30 arrived_since $((3 * each)) node1 node2
	serve_no_more
	is "IPv$f: replaced $times times: no datagram is lost or goes astray" "$(sort node1 node2)" \
		"$(printf "$client 42000 %s $each\n" 0 1 2)"
	is "IPv$f: replaced: each was counted" "$(news $name)" \
		"datagrams=$((3 * each)) cid12=$((2 * each)) client-hello=$each"
	is "IPv$f: replaced: no flow began anew" "$(new_flows) $(zones | wc -l)" "1 1 2"
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

# at_most SECONDS: whether no more is left of the flow.
at_most() { [ "$(flows "-$f" -z 1001:1001 | sed 's/.* timeout=\([0-9]*\) .*/\1/')" -le "$1" ]; }

# A rule that is gone for a while; longer than a name without flows is kept.
gap() {
	name=gap$f
	serve node1 echo node1 "$(node 1)" $port
	ruleset $name --node 1="$(node 1)" --timeout 9,9 > rule
	"$tables-restore" -n < rule
	is "IPv$f, deleted and added again: before" "$(ask "$(cid12 1)")" "node1 $vip $port"
	serve_no_more
	"$tables" -t raw -F
	wait_for 30 at_most 5
	serve client sink -c 1 "$client" 40000
	on node1 udp send -s "$(node 1)" -p $port "$client" 40000 "$no_cid"
	wait_for 30 test -s client
	is "IPv$f, deleted and added again: between, the node's address does not leak" \
		"$(cat client)" "$vip $port $no_cid"
	serve_no_more
	"$tables-restore" -n < rule
	serve node1 echo node1 "$(node 1)" $port
	is "IPv$f, deleted and added again: after" "$(ask "$(cid12 1)")" "node1 $vip $port"
	is "IPv$f, deleted and added again: the counters go on, and so does the flow" \
		"$(news $name), $(new_flows)" "datagrams=2 cid12=2, 1"
	"$tables" -t raw -F
	check "IPv$f, deleted: the name goes when its flows have expired" \
		wait_for 30 test ! -e /proc/net/xt_dtlscid/$name
	serve_no_more
}

# The node speaks all the time, while there is a rule, and none, and one again; and while
# there is no flow either.
no_leak() {
	name=leak$f
	ruleset $name --node 1="$(node 1)" > rule
	"$tables-restore" -n < rule
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 1)"
	serve client tally 0 "$client" 40000
	before=$(arrived client)
	ip netns exec node1 udp send -s "$(node 1)" -p $port -n 30000 "$client" 40000 "$no_cid" &
	times=0
	while kill -0 $! 2> ended; do
		"$tables" -t raw -F
		sleep 0.2
		conntrack -D --orig-zone 1001 > deleted 2>&1
		sleep 0.2
		"$tables-restore" -n < rule
		sleep 0.2
		times=$((times + 1))
	done
	wait_for 30 arrived_since 30000 client
	serve_no_more
	is "IPv$f: deleted and added $times times: all that the node says is from the service" \
		"$(cat client)" "$vip $port 23 30000"
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

# A rule that is refused has left neither a zone taken nor a node that speaks.
refused() {
	name=refused$f
	service=$([ $f = 4 ] && echo "$vip" || echo "[$vip]"):$port
	balance $name --zone-base 65534 --vip "$service" --node 1="$(node 1)"
	balance $name --zone-base 65534 --node 2="$(node 2)" --node 3="$(node 3)" 2> err
	is "IPv$f: a rule of two nodes, where one zone is left, is refused" "$((! $?))" 0
	serve client sink -c 1 "$client" 40000
	on node2 udp send -s "$(node 2)" -p $port "$client" 40000 00
	wait_for 10 test -s client
	is "IPv$f: its nodes do not speak from the service" "$(cat client)" "$(node 2) $port 00"
	serve_no_more
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 1)"
	wait_for 10 judged $name 1
	"$tables" -t raw -F
	balance $name --zone-base 65534 --node 2="$(node 2)" --node 3="$(node 3)" 2> err
	is "IPv$f: while the name has no rule too, and its flow stays" \
		"$((! $?)) $(flows "-$f" -c -z 65534:65535)" "0 1"
	check "IPv$f: and the zone is to be had" balance $name --zone-base 65534 --node 4="$(node 3)"
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

# A namespace with a rule and flows of its own, of which one has the rule no more.
namespace() {
	ip netns add other
	ip -n other link set lo up
	for name in kept deleted; do
		on other "$tables" -t raw -A OUTPUT -p udp -j DTLSCID --name $name --node 1="$1"
		on other udp send "$1" $port "$(cid12 1)"
		[ $name = kept ] || on other "$tables" -t raw -F
	done
	is "IPv$f: a namespace with flows" "$(on other flows -$f -z 1000:1999 | wc -l)" 2
	is "IPv$f: and two names" "$(on other ls /proc/net/xt_dtlscid | xargs)" "deleted kept"
	ip netns delete other
}

sysctl -q -w net.core.rmem_default=16000000 net.core.netdev_max_backlog=10000
topology 3
for f in 4 6; do
	family $f
	replaced
	gap
	no_leak
	refused
done
family 4; f=4
namespace 127.0.0.1
family 6; f=6
namespace ::1
check "rules of namespaces that are gone are no users of the module" wait_for 30 no_users

# What is left here is for those who remove the modules.
for f in 4 6; do
	family $f
	balance left --node 1="$(node 1)" --node 2="$(node 2)"
	serve node$((f / 2 - 1)) echo node "$(node $((f / 2 - 1)))" $port
	is "IPv$f: a flow that is left" "$(ask "$(cid12 $((f / 2 - 1)))")" "node $vip $port"
done
iptables -t raw -F
serve_no_more
finish
