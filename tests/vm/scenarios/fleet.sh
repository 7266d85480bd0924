#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A fleet of real DTLS stacks, 1.2 and 1.3: 20 sessions over three nodes, all open at
# once.  Each client changes its place (address and port) five times; every other
# time, if it can, to a place that a client of another node has just left.  Behind
# -j DTLSCID no message goes astray; behind the wiki's u32 rules they do.
. lib.sh
. ./peers.sh

clients=$(seq 20)
rounds=$(seq 5)
moves=100

# fresh N ROUND: set $place to one that nobody has had, as ADDRESS,PORT.
fresh() {
	case $((($1 + $2) % 2)) in
	0) place=$client ;;
	1) place=$client2 ;;
	esac
	place=$place,$((20000 + 10 * $1 + $2))
}

# arrive N: what is known of a client in the shell: place_N and its node, home_N.
arrive() {
	eval "place_$1=$place; echo \"\$home_$1,$place\""
} >> places

# move N ROUND: to $place.
move() {
	arrive "$1"
	tell "c$1" move "${place%,*}" "${place#*,}"
	tell "c$1" say "round $2"
}

# leave N ROUND: $left is what can be taken, as NODE,ADDRESS,PORT.
leave() {
	eval "left=\"\$left \$home_$1,\$place_$1\""
	fresh "$1" "$2"
	move "$1" "$2"
}

# take N ROUND: the first place left by a client of another node.
take() {
	place='' rest='' own=''
	eval "own=\$home_$1"
	for spot in $left; do
		if [ -z "$place" ] && [ "${spot%%,*}" != "$own" ]; then
			place=${spot#*,}
			taken=$((taken + 1))
		else
			rest="$rest $spot"
		fi
	done
	left=$rest
	[ -n "$place" ] || fresh "$1" "$2"
	move "$1" "$2"
}

# so_far COUNT: whether all together have done with so many messages.
so_far() {
	[ "$(replies c*.log)" -ge "$1" ]
}

# meet PATIENCE: the handshakes; in ms, how long a client waits for an answer.
meet() {
	for n in $clients; do
		fresh "$n" 0
		start_client "c$n" "$peer" --bind "${place%,*}" "${place#*,}" --wait "$1" "$vip" "$port"
		tell "c$n" connect
		tell "c$n" say hello
	done
	wait_for 120 so_far 20
	for n in $clients; do
		fresh "$n" 0
		eval "home_$n=$(home "c$n")"
		arrive "$n"
	done
}

# In each round one half of the clients leaves its places, then the other takes them.
wander() {
	for round in $rounds; do
		left=''
		for n in $clients; do
			[ $(((n + round) % 2)) -ne 0 ] || leave "$n" "$round"
		done
		wait_for 120 so_far $((20 * round + 10))
		for n in $clients; do
			[ $(((n + round) % 2)) -eq 0 ] || take "$n" "$round"
		done
		wait_for 120 so_far $((20 * round + 20))
	done
}

# fleet PATIENCE: from the handshakes to the last move.
fleet() {
	for log in node1.log node2.log node3.log places; do : > $log; done
	taken=0
	conntrack -F 2> /dev/null
	before=$(received)
	meet "$1"
	wander
	for n in $clients; do
		stop_client "c$n"
	done
}

# received: the datagrams that each node's socket has had, of both families.
received() {
	for space in node1 node2 node3; do
		on $space cat /proc/net/snmp /proc/net/snmp6 |
			awk '/^Udp: [0-9]/ || /^Udp6InDatagrams/ { n += $2 } END { print n }'
	done | xargs
}

# since BEFORE AFTER: the differences of two lists of three.
since() {
	echo "$1 $2" | awk '{ print $4 - $1, $5 - $2, $6 - $3 }'
}

# total WORD: how many lines of all nodes' logs begin with it.
total() {
	cat node[123].log | grep -c "^$1 "
}

# The stories that are not: one handshake, all answers of that node.
other_stories() {
	for n in $clients; do
		own=''
		eval "own=\$home_$n"
		want="handshake 1 cid 0$own answer node$own: hello"
		for round in $rounds; do
			want="$want answer node$own: round $round"
		done
		got=$(story "c$n")
		[ "$got" = "$want" ] || echo "client $n: $got"
	done
}

# Places where nodes saw clients that were not there, or did not see those that were.
other_places() {
	for k in 1 2 3; do
		sed -n "s/^message [0-9]* from \([^ ]*\) \([0-9]*\) .*/$k,\1,\2/p" node$k.log
	done | sort -u > seen
	sort -u places | sort - seen | uniq -u
}

# counter KEY: its values in the nodes' lines, in their order.
counter() {
	sed -n "s/^node=.* $1=\([0-9]*\).*/\1/p" "/proc/net/xt_dtlscid/$name" | xargs
}

# reasons: the datagrams by what they came to, without those that came to nothing.
reasons() {
	sed -n '/^datagrams=/s/ [^ ]*=0\>//gp' "/proc/net/xt_dtlscid/$name"
}

sum() { echo $(($(echo "$*" | tr ' ' +))); }

# expect_sessions: nothing went astray.
expect_sessions() {
	echo "# $title: $taken of $moves moves to places of other nodes' clients"
	check "$title: clients took places of other nodes' clients" [ $taken -gt 0 ]
	check "$title: each node has sessions" [ "$(grep -l '^handshake ' node[123].log | wc -l)" -eq 3 ]
	is "$title: 20 sessions alive, one handshake each, all answers of its node" "$(other_stories)" ""
	is "$title: the nodes saw 20 handshakes and $moves moves" \
		"$(total handshake) $(total moved)" "20 $moves"
	is "$title: no datagram at a node without its keys, no session failed" \
		"$(total unknown-cid) $(total failed)" "0 0"
	is "$title: each node saw its clients at their own addresses and ports" \
		"$(other_places)" ""
}

# expect_counters CID: what the rule counted is what happened.
expect_counters() {
	echo "# $title: $(reasons)"
	is "$title: all datagrams were ClientHellos or had a CID of this version" \
		"$(reasons | sed 's/=[0-9]*//g')" "datagrams $1 client-hello"
	is "$title: the datagrams of each node are those that it received" \
		"$(counter datagrams)" "$(since "$before" "$(received)")"
	is "$title: and no others were counted" \
		"$(sum "$(counter datagrams)")" "$(reasons | sed 's/datagrams=\([0-9]*\).*/\1/')"
	is "$title: there was a flow for each node and place" \
		"$(sum "$(counter new-flows)")" "$(sort -u places | wc -l)"
}

# with_the_rule 4|6: any key would do, but with the same the nodes have as many
# clients each time; no flow ends while clients come and go.
with_the_rule() {
	family "$1"
	title="DTLS $version, IPv$1" name=dtls$version-ipv$1
	"$tables" -t raw -A PREROUTING -d "$vip" -p udp --dport "$port" -j DTLSCID \
		--node 1="$(node 1)" --node 2="$(node 2)" --node 3="$(node 3)" --cid-length 6 \
		--hash-key 000102030405060708090a0b0c0d0e0f --timeout 600,600 --name "$name"
	fleet 10000
	expect_sessions
	expect_counters "cid${version%.*}${version#*.}"
	"$tables" -t raw -F
}

# The wiki's rules, which are for IPv4, and its timeouts.
u32_rules() {
	for k in 1 2 3; do
		iptables -t nat -A PREROUTING -p udp --dport "$port" -m u32 \
			--u32 "0>>22&0x3C@8>>8=0x19FEFD && 0>>22&0x3C@16&0xFF=$k" \
			-j DNAT --to-destination "$(node $k)"
	done
	for k in 1 2 3; do
		iptables -t nat -A PREROUTING -p udp --dport "$port" \
			-m statistic --mode nth --every $((4 - k)) --packet 0 \
			-j DNAT --to-destination "$(node $k)"
	done
	sysctl -qw net.netfilter.nf_conntrack_udp_timeout=15 \
		net.netfilter.nf_conntrack_udp_timeout_stream=15
}

with_u32() {
	family 4
	u32_rules
	fleet 1000
	misrouted=$(total unknown-cid)
	echo "# u32: $taken of $moves moves to places of other nodes' clients: $misrouted datagrams" \
		"misrouted, $(cat c*.log | grep -c ^timeout) messages lost"
	is "u32 rules: 20 handshakes" "$(total handshake)" 20
	check "u32 rules: datagrams went to nodes without their keys" [ "$misrouted" -gt 0 ]
	iptables -t nat -F
}

topology 3
for version in 1.2 1.3; do
	peer_of $version
	start_nodes 3 "$peer" "$port"
	with_the_rule 4
	with_the_rule 6
	[ $version != 1.2 ] || with_u32
done
topology_down
finish
