#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: what becomes of each kind of datagram under each option, and that it is
# counted as what it came to, once.
. lib.sh

port=5684

# Name, reason, datagram.  Node 3 is down, there is no node 9.
kinds() {
	cat <<-END
	cid12       cid12        $(cid12 1)
	cid13       cid13        $(cid13 2)
	later       cid12        ${flight}$(cid12 2)
	hello       client-hello $client_hello
	no-cid      no-cid       $no_cid
	unknown     unknown-node $(cid12 9)
	unknown13   unknown-node $(cid13 9)
	down        node-down    $(cid12 3)
	mixed       mixed        $(cid12 2)$(cid12 1)
	epoch-0     malformed    19fefd00000000000000$(cid12 1 | cut -c 21-)
	truncated   malformed    $(cid12 1 | cut -c 1-28)
	overrun     malformed    $(cid12 1 | cut -c 1-80)
	junk        malformed    $(cid12 1)ff
	short13     malformed    $(cid13 1 | cut -c 1-18)000f$(cid13 1 | cut -c 23-52)
	coap        not-dtls     44011234deadbeefb474657374
	empty       not-dtls     -
	END
}
# What stands before a Finished.
flight=16fefd000000000000000200041000000014fefd0000000000000003000101

# Where each of them goes, by name: a node, the balancer itself, or nowhere.
by_default='cid12:node1 cid13:node2 later:node2 hello:node1 no-cid:node1 coap:balancer empty:balancer'
leniently='cid12:node1 cid13:node2 later:node2 hello:balancer no-cid:balancer
	unknown:balancer unknown13:balancer down:balancer mixed:node2 epoch-0:balancer
	truncated:balancer overrun:balancer junk:balancer short13:balancer
	coap:balancer empty:balancer'
strictly='cid12:node1 cid13:node2 later:node2'
hashed='cid12:node1 cid13:node2 later:node2 hello:node1 no-cid:node1 coap:node1 empty:node1'

# came: where datagrams have come to, in the form of the lists above.
came() {
	for space in node1 node2 node3 balancer; do
		while read -r _ p _; do
			sed -n "s/^$p \([^ ]*\) .*/\1:$space/p" cases
		done < $space
	done
}

# as_listed LIST
as_listed() { [ "$(came | sort | xargs)" = "$(echo "$1" | xargs -n 1 | sort | xargs)" ]; }

# The flows in our zones, as the nodes' datagrams have them.
our_flows() { zones | sed 's/^zone=100\([0-9]\) .*orig=[^ ]* \([0-9]*\) .*/\2 node\1/' | sort; }

wanted_flows() {
	came | sed -n 's/:\(node.\)$/ \1/p' |
		while read -r kind space; do sed -n "s/^\([0-9]*\) $kind .*/\1 $space/p" cases; done | sort
}

# fates WHAT LIST OPTION...
fates() {
	what=$1 list=$2
	shift 2
	balance "$f$what" --node 1="$(node 1)" --node 2="$(node 2)",weight=0 --node 3="$(node 3)",down \
		--cid-length 6 "$@"
	for space in node1 node2 node3; do serve $space sink "$(node ${space#node})" $port; done
	serve balancer sink "$vip" $port
	while read -r p _ _ hex; do
		echo "udp send -s $client -p $p $vip $port '${hex#-}'"
	done < cases > sends
	on client sh ./sends
	wait_for 30 judged "$f$what" "$(wc -l < sends)"
	wait_for 30 as_listed "$list"
	serve_no_more
	is "IPv$f, $what: where they go" "$(came | sort | xargs -n 1)" "$(echo "$list" | xargs -n 1 | sort)"
	is "IPv$f, $what: each is counted as what it is" "$(news "$f$what" | xargs -n 1 | sort)" \
		"$(awk '{ n[$3]++ } END { for (r in n) print r "=" n[r]; print "datagrams=" NR }' cases | sort)"
	is "IPv$f, $what: entries in our zones for those that came to a node" "$(our_flows)" "$(wanted_flows)"
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

# What is wrong below DTLS.  Conntrack makes no entry of such a packet, so no node
# gets it; no socket does either.
broken() {
	balance broken$f --node 1="$(node 1)"
	on client udp raw 17 "$vip" "9c40163400311234$(cid12 1)"
	wait_for 30 judged broken$f 1
	is "IPv$f: a wrong checksum: counted by what it holds" "$(news broken$f)" "datagrams=1 cid12=1"
	for length in 7 50 65535; do
		on client udp send -l $length "$vip" $port "$(cid12 1)"
	done
	wait_for 30 judged broken$f 3
	is "IPv$f: UDP lengths that no receiver takes: malformed" "$(news broken$f)" "datagrams=3 malformed=3"
	is "IPv$f: neither leaves an entry" "$(flows -$f)" ""
	"$tables" -t raw -F
}

# tracked NAME WHERE OPTION: what somebody else has decided about comes to the balancer;
# its entries are in zone WHERE.
tracked() {
	"$tables" -t raw -A PREROUTING -s "$client" -p udp -j CT "$3" ${4+"$4"}
	balance "$1$f" --node 1="$(node 1)"
	serve balancer sink -c 1 "$vip" $port
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 1)"
	wait_for 30 test -s balancer
	is "IPv$f, CT $3 before: left alone" "$(cat balancer)" "$client 40000 $(cid12 1)"
	is "IPv$f, CT $3 before: counted" "$(news "$1$f")" "datagrams=1 already-tracked=1"
	is "IPv$f, CT $3 before: its entry" "$(flows -$f | cut -d ' ' -f 1)" "$2"
	serve_no_more
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

# By a rule of its name what is under way is passed over; a rule of another counts it.
two_rules() {
	balance both$f --node 1="$(node 1)"
	balance both$f --node 1="$(node 2)" --node 2="$(node 2)"
	balance other$f --zone-base 2000 --node 1="$(node 2)"
	for k in 1 2; do serve node$k echo node$k "$(node $k)" $port; done
	is "IPv$f, two rules of a name: the first decides, with the nodes of both" \
		"$(for k in 1 2; do on client udp ask -s "$client" -t 10000 "$vip" $port "$(cid12 $k)"; done)" \
		"$(printf '%s\n' "node1 $vip $port" "node2 $vip $port")"
	is "IPv$f, two rules of a name: counted once" "$(news both$f)" "datagrams=2 cid12=2"
	is "IPv$f, a rule of another name: counts what it finds tracked" \
		"$(news other$f)" "datagrams=2 already-tracked=2"
	serve_no_more
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

# What is dropped so is taken back from its node, unless several ids are at the address.
too_many() {
	balance full$f --node 1="$(node 1)" --node 2="$(node 2)" --node 3="$(node 2)" --max-flows 2
	for k in 1 3 1 3 1 3; do
		on client udp send -s "$client" "$vip" $port "$(cid12 $k)"
	done
	wait_for 30 judged full$f 6
	is "IPv$f: past --max-flows new flows are dropped and counted" \
		"$(news full$f) $(zones | wc -l)" "datagrams=6 cid12=2 max-flows=4 2"
	is "IPv$f: the nodes' datagrams" \
		"$(sed -n 's/^node=\(.\) .* datagrams=\([0-9]*\) .*/\1:\2/p' /proc/net/xt_dtlscid/full$f | xargs)" \
		"1:1 2:0 3:3"
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

topology 3
kinds | awk '{ print 41000 + NR, $0 }' > cases # each kind has a client port of its own
for f in 4 6; do
	family $f
	fates default "$by_default"
	fates lenient "$leniently" --new continue --unknown continue --malformed continue \
		--mixed first --not-dtls continue
	fates strict "$strictly" --new drop --not-dtls drop
	fates hashing "$hashed" --not-dtls hash
	broken
	tracked zone zone=7 --zone 7
	tracked notrack '' --notrack
	two_rules
	too_many
done
topology_down
finish
