#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: what /proc counts is what was sent, on two processors, while rules are
# replaced.
. lib.sh

port=5684 malformed=19fefd not_dtls=00

# Node 3 is down, node 9 nobody has.
ten() {
	for state in up drain up drain up drain up drain up drain; do
		ruleset tally$f --node 1="$(node 1)" --node 2="$(node 2),$state" --node 3="$(node 3),down" \
			--cid-length 6 --not-dtls drop
	done
}

# send PORT TIMES: ten datagrams, each of another kind but for two.
send() {
	ip netns exec client udp send -s "$client" -p "$1" -n "$2" "$vip" $port \
		"$(cid12 1)" "$(cid12 2)" "$(cid13 1)" "$client_hello" "$no_cid" "$(cid12 9)" \
		"$(cid12 3)" "$(cid12 1)$(cid12 2)" $malformed $not_dtls
}

alive() { kill -0 $one 2> ended || kill -0 $two 2> ended; }

# tally TIMES: by two senders.
tally() {
	ten > ten_rules
	"$tables-restore" -n < ten_rules
	n=10
	send 42000 "$1" & one=$!
	send 42001 "$1" & two=$!
	while alive; do
		"$tables-restore" -n < ten_rules
		n=$((n + 10))
	done
	wait_for 60 judged tally$f $((20 * $1))
	is "IPv$f: of $((20 * $1)) datagrams, while the rule was replaced $n times, each is counted" \
		"$(news tally$f)" \
		"$(echo "datagrams=20 cid12=4 cid13=2 mixed=2 client-hello=2 no-cid=2 not-dtls=2" \
			"malformed=2 unknown-node=2 node-down=2" | sed "s/=\([0-9]*\)/=\1*$1/g" | multiplied)"
	is "IPv$f: of each node" \
		"$(sed -n 's/^node=\([0-9]*\) .* datagrams=\([0-9]*\) .*/\1 \2/p' "/proc/net/xt_dtlscid/tally$f" |
			awk '{ n += $2 } END { print n }')" $((10 * $1))
}

# multiplied: "datagrams=20*50" as "datagrams=1000".
multiplied() {
	tr ' ' '\n' | awk -F '[=*]' '{ print $1 "=" $2 * $3 }' | xargs
}

sysctl -q -w net.core.netdev_max_backlog=100000
topology 3
for f in 4 6; do
	family $f
	if at_length $f; then
		tally 50000
		check "IPv$f: it was replaced at least 100 times" test $n -ge 100
	else
		tally 5000
	fi
	"$tables" -t raw -F
	conntrack -F 2> flushed
done
topology_down
finish
