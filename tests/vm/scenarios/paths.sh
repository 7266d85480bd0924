#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The shapes in which a datagram reaches a rule: fragments, aggregates, pages,
# and UDP lengths that lie.
. lib.sh

port=5684
cid1=19fefd000100000000000101ab2345cd6700160001000000000001a0a1a2a3a4a5a6a7a8a9aaabacad
cid2=19fefd000100000000000102efd16790890016000100000000000100112233445566778899aabbccdd

# zeros N: N bytes
zeros() { printf "%0$((2 * $1))d" 0; }

# A handshake record of N bytes, then a record with node 2's CID.
long() { echo "16fefd0000000000000002$(printf %04x "$1")10$(zeros $(($1 - 1)))$cid2"; }

# sizes FIRST LAST: records of so many bytes each, then node 2's CID.
sizes() {
	for n in $(seq "$1" "$2"); do
		printf '16fefd0000000000000002%04x10%s' "$n" "$(zeros $((n - 1)))"
	done
	echo $cid2
}

rule() {
	text=$1
	shift
	"$tables" -t raw -A PREROUTING "$@" -m comment --comment "$text"
}

rules() {
	for text in 1 2; do
		rule "node$text" -p udp --dport $port -m dtlscid --node-id $text
	done
	rule malformed -p udp --dport $port -m dtlscid --cid-length 6 --record malformed
	rule unlike -p udp --dport $port -m dtlscid ! --record malformed
	rule seen -s "$client" -d "$vip"
}

lying_lengths() {
	is "IPv$f: UDP length of the whole datagram" \
		"$(sent 1 udp send -l 49 "$vip" $port $cid1)" "node1 unlike seen"
	is "IPv$f: UDP length that ends within the record: the rest is not read" \
		"$(sent 1 udp send -l 48 "$vip" $port $cid1)" "node1 malformed unlike seen"
	is "IPv$f: UDP length that ends within the header" \
		"$(sent 1 udp send -l 12 "$vip" $port $cid1)" "malformed seen"
	is "IPv$f: UDP length of an empty datagram" \
		"$(sent 1 udp send -l 8 "$vip" $port $cid1)" "unlike seen"
	# RFC 2675 section 4; in IPv4 such a datagram is dropped.
	is "IPv$f: UDP length 0" "$(sent 1 udp send -l 0 "$vip" $port $cid1)" \
		"$(echo "${f%4}" | sed 's/6/node1 unlike /')seen"
	for length in 7 50 65535; do
		is "IPv$f: UDP length $length matches nothing" \
			"$(sent 1 udp send -l $length "$vip" $port $cid1)" "seen"
	done
}

# Three packets on the wire; without conntrack nobody puts them together.  The
# rules without a port see the later fragments too; the second of these begins
# like a datagram of node 1, and in the last case the first fragment holds all
# that its UDP length speaks of.
fragments_alone() {
	inside=9c40163400310000$cid1
	rule any -p udp -m dtlscid
	rule anything -p udp -m dtlscid ! --record malformed
	is "IPv$f: fragments match nothing" \
		"$(sent 3 udp send "$vip" $port "$(long 3000)")" "seen"
	is "IPv$f: a later fragment that looks like a datagram matches nothing" \
		"$(sent 3 udp send "$vip" $port "$(zeros $((f == 4 ? 1472 : 1440)))$inside$(zeros 1500)")" "seen"
	is "IPv$f: a first fragment that holds its whole datagram matches nothing" \
		"$(sent 3 udp send -l 49 "$vip" $port "$cid1$(zeros 3000)")" "seen"
	[ $f = 4 ] || nested_fragments
	"$tables" -t raw -D PREROUTING -p udp -m dtlscid -m comment --comment any
	"$tables" -t raw -D PREROUTING -p udp -m dtlscid ! --record malformed -m comment --comment anything
}

# An atomic fragment (RFC 6946) is a whole packet, one that holds another fragment
# is not: its first part, and one from the middle.
nested_fragments() {
	atomic=00000000000001 part=11000001000000029c40163400310000 middle=110005c800000002
	is "IPv6: an atomic fragment matches" \
		"$(sent 1 udp raw 44 "$vip" "11$atomic$(echo $part | cut -c 17-)$cid1")" \
		"node1 unlike seen any anything"
	is "IPv6: a first fragment in an atomic one matches nothing" \
		"$(sent 1 udp raw 44 "$vip" "2c$atomic$part$cid1")" "seen"
	is "IPv6: a later fragment in an atomic one matches nothing" \
		"$(sent 1 udp raw 44 "$vip" "2c$atomic$middle$cid1")" "seen"
}

fragments_together() {
	"$tables" -t mangle -A PREROUTING -m conntrack --ctstate INVALID
	is "IPv$f: reassembled, the CID of a later fragment is found" \
		"$(sent 1 udp send "$vip" $port "$(long 3000)")" "node2 unlike seen"
	is "IPv$f: reassembled, records of many sizes are stepped over" \
		"$(sent 1 udp send "$vip" $port "$(sizes 10 110)")" "node2 unlike seen"
	"$tables" -t mangle -F
}

# UDP_SEGMENT crosses the veth pair as one skb: two datagrams, one packet seen.
# Linux 5.10 takes it apart before.
aggregate() {
	if on client ethtool -k eth0 | grep -q 'tx-udp-segmentation: on'; then
		packets=1 first='node1 unlike seen'
	else
		packets=2 first='node1 node2 unlike seen'
	fi
	is "IPv$f: of an aggregate the first datagram is read" \
		"$(sent $packets udp send -g 41 "$vip" $port $cid1$cid2)" "$first"
	is "IPv$f: two datagrams in so many packets: $packets" \
		"$(packets "$tables" raw PREROUTING seen)" $packets
	is "IPv$f: an aggregate's datagram ends where the segment does" \
		"$(sent $((packets == 1 ? 1 : 3)) udp send -g 40 "$vip" $port $cid1$cid2)" \
		"node1 malformed unlike seen"
}

# Over 16 kB, and a device that can gather: the kernel puts the data in pages.
paged() {
	mtu 65535
	is "IPv$f: a CID behind 20,000 bytes in pages is found" \
		"$(sent 1 udp send "$vip" $port "$(long 20000)")" "node2 unlike seen"
	is "IPv$f: that was one packet" "$(packets "$tables" raw PREROUTING seen)" 1
	is "IPv$f: in pages, records of many sizes are stepped over" \
		"$(sent 1 udp send "$vip" $port "$(sizes 100 200)")" "node2 unlike seen"
	is "IPv$f: that was one packet" "$(packets "$tables" raw PREROUTING seen)" 1
	mtu 1500
}

hundredths() { awk '{ print int($1 * 100) }' /proc/uptime; }

# took COUNT DATAGRAM: hundredths of a second for so many of them; once more if a
# fragment was lost on a busy machine.
took() {
	for _ in 1 2 3; do
		start=$(hundredths)
		sent "$1" udp send -n "$1" "$vip" $port "$2" > counted
		echo $(($(hundredths) - start)) > 'time'
		grep -q '^only' counted || break
		echo lost > 'time'
	done
	cat 'time'
}

# 5,000 empty records, in one piece and in 1,350 fragments: reading must end early,
# or a datagram costs records times fragments.  A hundred rules, so that not the
# fragments themselves are what takes the time.
many_records() {
	records=$(printf '%05000d' 0 | sed 's/0/14fefd00000000000000030000/g')
	"$tables" -t mangle -A PREROUTING -m conntrack --ctstate INVALID
	sysctl -q -w net.core.wmem_default=4000000 net.core.netdev_max_backlog=10000
	for k in $(seq 100); do
		rule "more$k" -p udp --dport $port -m dtlscid --record cid
	done
	mtu 65535
	whole=$(took 3 "$records")
	mtu 1500
	ip -n client route add "$vip" dev eth0 mtu lock 68
	pieces=$(took 3 "$records")
	ip -n client route delete "$vip"
	"$tables" -t mangle -F
	case $whole$pieces in
	*lost*) not_ok "IPv$f: all datagrams of 5,000 records arrive" "$whole $pieces" ;;
	*)
		check "IPv$f: 5,000 records in 1,350 fragments take $pieces/100 s, in one piece $whole/100 s" \
			test "$pieces" -lt $((50 + 10 * whole)) ;;
	esac
}

mtu() {
	ip link set client mtu "$1"
	ip -n client link set eth0 mtu "$1"
}

topology 1
for f in 4 6; do
	family $f
	rules
	fragments_alone
	lying_lengths
	aggregate
	paged
	fragments_together
	[ $f = 6 ] || many_records # IPv6 has no MTU below 1280
	"$tables" -t raw -F
done
topology_down
finish
