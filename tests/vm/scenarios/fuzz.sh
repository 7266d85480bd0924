#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A storm of packets, sound and not, at rules of all kinds, while rules, states and flows
# are changed: nothing is counted twice or not at all, nobody gets what is another's, and
# in the end all is well.
#
# A file "storm" says how many packets, and from which seed: "PACKETS SEED".
. lib.sh

packets=20000 seed=$(date +%s)
[ ! -e storm ] || read -r packets seed < storm

# Name, port, zone base, and what fuzz is to know: where the node id is in CIDs, their
# length, and if the rule says it.
names() {
	cat <<-END
	a 5684 1000 0:1:6:known
	b 5685 1100 2:2:8
	c 5686 1200 0:1:6:known
	d 5687 1300 1:4:12:known
	e 5688 1400 0:1:6:known
	END
}
limit=1000

# LBSP's port: under one name UDP, under another TCP.
lbsp_port=5690

# options NAME ROUND: of a name's rule, in turn.
options() {
	case $1-$(($2 % 2)) in
	a-*) echo --cid-length 6 --timeout 5,2 ;;
	b-0) echo --id-offset 2 --id-length 2 --mixed first --new drop ;;
	b-1) echo --id-offset 2 --id-length 2 --mixed first --id-mark 0xff0000 --not-dtls hash ;;
	c-0) echo --cid-length 6 --malformed continue --unknown continue --not-dtls hash --id-mark 0xff \
		--vip "$at_vip" ;;
	c-1) echo --cid-length 6 --no-dnat --timeout 1,1 ;;
	d-0) echo --cid-length 12 --id-offset 1 --id-length 4 --new continue --zone0-check ;;
	d-1) echo --cid-length 12 --id-offset 1 --id-length 4 --id-connmark 0xff00 --mixed first ;;
	e-*) echo --cid-length 6 --mixed first --timeout 3,2 ;;
	esac
}

# nodes_of ROUND: a node's own CID length would have to be right for all ports.
nodes_of() {
	for k in 1 2 3 4; do
		case $(($1 % 3))-$k in
		1-2) echo "--node $k=$(node $k),weight=5" ;;
		2-3) echo "--node $k=$(node $k),drain" ;;
		*) echo "--node $k=$(node $k)" ;;
		esac
	done | xargs
}

balancing() {
	case $f in 4) at_vip=$vip:5686 ;; 6) at_vip="[$vip]:5686" ;; esac
	targets=$(nodes_of "$1")
	names | while read -r name port base _; do
		echo "-A PREROUTING -d $vip -p udp --dport $port -j DTLSCID --name $name --zone-base $base" \
			"--max-flows $limit $targets $(options "$name" "$1")"
	done
}

# lbsp_balancing ROUND: by the option; the chain is of IPv6's table nat.
lbsp_balancing() {
	servers=$(nodes_of "$1" | sed 's/--node [0-9]*=/--server /g')
	case $(($1 % 3)) in
	0) options="--timeout 3,2" ;;
	1) options="--encoding draft --foreign drop" ;;
	2) options="--option-type 0x1e --timeout 1,1" ;;
	esac
	echo "-A lbsp -d $vip -p udp --dport $lbsp_port -j LBSP --name l $servers $options"
	echo "-A lbsp -d $vip -p tcp --dport $lbsp_port -j LBSP --name m $servers --foreign drop"
}

# Tests of the match, each of which holds or does not for what can be read at all.
tests() {
	cat <<-END
	--record cid --cid-length 6
	--record client-hello,handshake,encrypted --cid-length 6
	--record malformed
	--record malformed,mixed --cid-length 8 --id-offset 2 --id-length 2
	--record not-dtls
	END
}

# The same, for what has a CID.
cid_tests() {
	cat <<-END
	--node-id 1
	--node-id 2:4,77
	--cid 01
	--cid 01/3
	--dtls-version 1.2
	END
}

# Tests of -m lbsp: for all packets, and for those with the option.
lbsp_tests() { echo --malformed; }
lbsp_option_tests() {
	cat <<-END
	--client 2001:db8:1::20/123
	--server 2001:db8:2::/64
	--server-set
	--encoding draft
	END
}

numbered() { awk '{ print NR, $0 }'; }

counting() {
	udp="-A tally -p udp -m comment --comment"
	tests | numbered | while read -r n test; do
		echo "$udp is$n -m dtlscid $test"
		echo "$udp not$n -m dtlscid ! $test"
	done
	echo "$udp cid -m dtlscid"
	cid_tests | numbered | while read -r n test; do
		echo "$udp cid$n -m dtlscid $test"
		echo "$udp nocid$n -m dtlscid ! $test"
	done
	names | while read -r name port _; do
		echo "-A tally -d $vip -p udp --dport $port -m comment --comment $name"
	done
	[ $f = 4 ] || lbsp_counting
}

# Of any protocol.
lbsp_counting() {
	all="-A tally -m comment --comment"
	echo "$all all"
	lbsp_tests | numbered | while read -r n test; do
		echo "$all all$n -m lbsp $test"
		echo "$all none$n -m lbsp ! $test"
	done
	echo "$all lbsp -m lbsp"
	lbsp_option_tests | numbered | while read -r n test; do
		echo "$all lbsp$n -m lbsp $test"
		echo "$all nolbsp$n -m lbsp ! $test"
	done
}

# In the other tables' chains, for what packets are like there.
elsewhere() {
	while read -r table chains; do
		echo "*$table"
		for chain in $chains; do
			echo "-A $chain -p udp -m dtlscid --node-id 2:300 --id-offset 2 --id-length 2"
			echo "-A $chain -p udp -m dtlscid --cid 01/5 --cid-length 6 --record cid,mixed"
			[ $f = 4 ] || echo "-A $chain -m lbsp --client 2001:db8:1::/48 ! --server-set"
		done
		echo COMMIT
	done <<-END
	mangle PREROUTING INPUT FORWARD OUTPUT POSTROUTING
	filter INPUT FORWARD OUTPUT
	nat PREROUTING POSTROUTING
	END
}

# What a sound datagram says in its first record is whom it is for (fuzz/payload.c).
marks() {
	case $f in
	4) magic='0>>22&0x3C@40=0x6d61726b' id='0>>22&0x3C@44' ;;
	6) magic='80=0x6d61726b' id=84 ;;
	esac
	for k in 1 2 3 4; do
		on node$k "$tables-restore" <<-END
		*raw
		-A PREROUTING -p udp -m u32 --u32 "$magic&&$id=$k" -m comment --comment right
		-A PREROUTING -p udp -m u32 --u32 "$magic&&$id=0:$((k - 1)),$((k + 1)):0xffffffff" -m comment --comment wrong
		COMMIT
		END
	done
}

# How the rules of a round, and the first ones, are written costs too much in a storm.
prepare() {
	{
		printf '%s\n' '*raw' ':tally -'
		counting
		echo '-A PREROUTING -j tally'
		balancing 0
		echo COMMIT
		elsewhere
	} > "first.$f"
	for n in 0 1 2 3 4 5; do
		{ printf '%s\n' '*raw' '-F PREROUTING' '-A PREROUTING -j tally'; balancing $n; echo COMMIT; } > "round.$f.$n"
		[ $f = 4 ] || { printf '%s\n' '*nat' '-F lbsp'; lbsp_balancing $n; echo COMMIT; } >> "round.$f.$n"
	done
}

# lbsp_begin: after all that is elsewhere.
lbsp_begin() {
	ip6tables-restore -n <<-END
	*nat
	:lbsp -
	-A PREROUTING -d $vip -p udp --dport $lbsp_port -m comment --comment l
	-A PREROUTING -d $vip -p tcp --dport $lbsp_port -m comment --comment m
	-A PREROUTING -j lbsp
	$(lbsp_balancing 0)
	COMMIT
	END
}

# start: rules that have counted nothing.
start() {
	for f in 4 6; do
		family $f
		{ "$tables-restore" "first.$f" && { [ $f = 4 ] || lbsp_begin; }; } ||
			echo "not ok - IPv$f: rules"
		marks
	done
}

# see_entries: the most that any name has had at once in its zones, in $most.  A list takes a
# while, and meanwhile some go and others come: it may have a few more than there ever were.
most=0
see_entries() {
	n=$({ flows -4 -z 1000:1499; flows -6 -z 1000:1499; } |
		awk '{ n = ++count[int(substr($1, 6) / 100)]; most = n > most ? n : most } END { print most + 0 }')
	[ "$n" -le "$most" ] || most=$n
}

# storm PACKETS SEED: from the client, a quarter as many from a node, and what goes on besides.
# shellcheck disable=SC2046 # words
storm() {
	set -- "$1" "$2" "$lbsp_port:0:1:6:lbsp" $(names | awk '{ print $2 ":" $4 }')
	count=$1 from=$2 rounds=0 failed=0
	shift 2
	ip netns exec client fuzz -s "$from" -n "$count" -v expected client "$@" > client.fuzz &
	one=$!
	ip netns exec node1 fuzz -s "$from" -n $((count / 4)) -v expected node "$@" > node.fuzz &
	two=$!
	scribble "$from" $(names | sed 's, .*,,; s,^,/proc/net/xt_dtlscid/,; 1s,^,=,') \
		=/proc/net/xt_lbsp/l /proc/net/xt_lbsp/m > scribbled &
	three=$!
	while kill -0 $one 2> ended || kill -0 $two 2> ended; do
		rounds=$((rounds + 1))
		iptables-restore -n < round.4.$((rounds % 6)) || failed=$((failed + 1))
		ip6tables-restore -n < round.6.$((rounds % 6)) || failed=$((failed + 1))
		see_entries
		[ $((rounds % 5)) -ne 4 ] || conntrack -F 2> flushed
		# In a long storm packets shall have most of the time.
		if [ $rounds -lt 10 ]; then sleep 0.1; else sleep 3; fi
	done
	wait $one && wait $two || failed=$((failed + 1))
	kill $three
	wait $three
}

no_entries() {
	conntrack -F 2> flushed
	[ "$(entries)" -eq 0 ]
}

# end: all that start and storm have left.
end() {
	for ipt in iptables ip6tables; do
		for table in raw mangle filter nat; do
			"$ipt" -t $table -F
			"$ipt" -t $table -X
		done
	done
	for k in 1 2 3 4; do
		for ipt in iptables ip6tables; do on node$k $ipt -t raw -F; done
	done
	conntrack -F 2> flushed
	wait_for 60 no_names
	wait_for 60 no_lbsp_names
}

# What a rule of that comment has counted, in chain tally; in both families; at the nodes.
tally() { packets "$tables" raw tally "$1"; }
tallies() { echo $(($(packets iptables raw tally "$1") + $(packets ip6tables raw tally "$1"))); }
at_nodes() {
	for k in 1 2 3 4; do on node$k "$tables" -t raw -nvxL PREROUTING; done |
		awk -v text="/* $1 */" 'index($0, text) { n += $1 } END { print n }'
}

counted() { counts "$1" | sed -n 's/^datagrams=//p'; }
lbsp_packets() { sed -n 's/^packets=\([0-9]*\) .*/\1/p' /proc/net/xt_lbsp/l; }
all_counted() { [ "$(counted a)" = "$(tallies a)" ]; }

# either KIND OTHER-KIND SUM WHAT: each test of a list has held or not, that many times.
either() {
	while read -r n test; do
		is "IPv$f: $4, $test holds or does not" $(($(tally "$1$n") + $(tally "$2$n"))) "$3"
	done < list
}

counters() {
	tests | numbered > list
	either is not $(($(tally is1) + $(tally not1))) "as the first one"
	cid_tests | numbered > list
	either cid nocid "$(tally cid)" "with a CID"
	[ $f = 4 ] || lbsp_counters
	right=$(at_nodes right)
	check "IPv$f: $right datagrams came to the node that they are marked for" test "$right" -ge $((packets / 100))
	is "IPv$f: datagrams that came to another node, or that nobody may have" "$(at_nodes wrong)" 0
}

lbsp_counters() {
	lbsp_tests | numbered > list
	either all none "$(tally all)" "as the first one"
	lbsp_option_tests | numbered > list
	either lbsp nolbsp "$(tally lbsp)" "with an LBSP option"
	n=$(tally lbsp)
	check "LBSP: $n packets had the option, and more had none" \
		test "$n" -gt 0 -a "$n" -lt $(($(tally none1) - n))
	is "LBSP: its file has counted as many first packets as the rule ahead of it" \
		"$(lbsp_packets)" "$(packets ip6tables nat PREROUTING l)"
	for what in new persistent fallback malformed unsupported; do
		check "LBSP: some were $what" grep -q "^packets=.* $what=[1-9]" /proc/net/xt_lbsp/l
	done
}

# Real clients, when all nodes are up again.
survivors() {
	"$tables-restore" -n < "round.$f.0"
	for k in 1 2 3 4; do echo "up $k" > /proc/net/xt_dtlscid/a; done
	serve_names 4
	is "IPv$f: each node answers its clients" \
		"$(who_answers "$client" 42000 1 2 3 4)" "$(from_service 1 2 3 4)"
	serve_no_more
	[ $f = 4 ] || lbsp_survivors
}

lbsp_survivors() {
	for k in 1 2 3 4; do
		for name in l m; do echo "up $(node $k)" > /proc/net/xt_lbsp/$name; done
		ip netns exec node$k lbsp serve node$k $lbsp_port > none &
		served="$served $!"
		wait_for 10 listening node$k $lbsp_port
	done
	for k in 1 2 3 4; do
		for protocol in '' -t; do
			# shellcheck disable=SC2086 # a word, or none
			on client lbsp ask $protocol -1 "$client" -2 "$(node $k)" -s "$client" "$vip" $lbsp_port
		done
	done | cut -d ' ' -f 1 | xargs > got
	is "LBSP: each server answers its clients" "$(cat got)" \
		"node1 node1 node2 node2 node3 node3 node4 node4"
	serve_no_more
}

modprobe nf_conntrack
sysctl -q -w net.core.netdev_max_backlog=100000 net.netfilter.nf_conntrack_max=100000 \
	net.netfilter.nf_conntrack_udp_timeout=3 net.netfilter.nf_conntrack_udp_timeout_stream=3 \
	net.netfilter.nf_conntrack_generic_timeout=3 net.netfilter.nf_conntrack_icmp_timeout=3
topology 4
for f in 4 6; do
	family $f
	prepare
done
for s in 1 1 2; do fuzz -d -s $s -n 1000 -v expected client 1:0:1:6 2:0:1:6 | sed 's/.* //'; done > digests
is "the same seed, the same packets; another one, others" "$(uniq -c < digests | awk '{ print $1 }' | xargs)" "2 1"

echo "# seed $seed, $packets packets"
start
storm 2000 1
end
before=$(available)
start
began=$(uptime_s)
storm "$packets" "$seed"
echo "# client: $(cat client.fuzz)"
echo "# node: $(cat node.fuzz)"
echo "# files: $(cat scribbled); rules replaced $rounds times; $(($(uptime_s) - began)) s"
is "what failed of it" $failed 0
check "a file has taken commands" grep -q 'taken=[1-9]' scribbled
wait_for 30 all_counted
for name in a b c d e; do sed -n "/^node=/!s/^/# $name: /p" /proc/net/xt_dtlscid/$name; done
for name in l m; do sed -n "/^server=/!s/^/# $name: /p" /proc/net/xt_lbsp/$name; done
is "a's file has counted as many datagrams as rules ahead of it" "$(counted a)" "$(tallies a)"
check "at most $limit entries of a name were seen: $most" test "$most" -le $((limit + 10))
for f in 4 6; do
	family $f
	counters
done
conntrack -F 2> flushed
for f in 4 6; do
	family $f
	survivors
done
end
check "no name is left" no_names
check "none of LBSP" no_lbsp_names
check "no entry is left, of anybody" wait_for 30 no_entries
after=$(available)
check "of $before kB available at the beginning, there are $after again" test "$after" -gt $((before - 48000))
topology_down
finish
