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

seen() { [ "$(packets "$tables" raw PREROUTING seen)" -ge "$1" ]; }

# sent PACKETS COMMAND...: what counted, once as many packets have come.
sent() {
	wanted=$1
	shift
	zero "$tables" raw
	on client "$@"
	wait_for 5 seen "$wanted" || echo "only $(packets "$tables" raw PREROUTING seen) of $wanted"
	hits "$tables" raw PREROUTING
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
	for length in 0 7 50 65535; do
		is "IPv$f: UDP length $length matches nothing" \
			"$(sent 1 udp send -l $length "$vip" $port $cid1)" "seen"
	done
}

# Three packets on the wire; without conntrack nobody puts them together.
fragments_alone() {
	is "IPv$f: fragments match nothing" \
		"$(sent 3 udp send "$vip" $port "$(long 3000)")" "seen"
}

fragments_together() {
	"$tables" -t mangle -A PREROUTING -m conntrack --ctstate INVALID
	is "IPv$f: reassembled, the CID of a later fragment is found" \
		"$(sent 1 udp send "$vip" $port "$(long 3000)")" "node2 unlike seen"
	"$tables" -t mangle -F
}

# UDP_SEGMENT crosses the veth pair as one skb: two datagrams, one packet seen.
aggregate() {
	is "IPv$f: of an aggregate the first datagram is read" \
		"$(sent 1 udp send -g 41 "$vip" $port $cid1$cid2)" "node1 unlike seen"
	is "IPv$f: the aggregate was one packet" "$(packets "$tables" raw PREROUTING seen)" 1
	is "IPv$f: an aggregate's datagram ends where the segment does" \
		"$(sent 1 udp send -g 40 "$vip" $port $cid1$cid2)" "node1 malformed unlike seen"
}

# Over 16 kB, and a device that can gather: the kernel puts the data in pages.
paged() {
	ip link set client mtu 65535
	ip -n client link set eth0 mtu 65535
	is "IPv$f: a CID behind 20,000 bytes in pages is found" \
		"$(sent 1 udp send "$vip" $port "$(long 20000)")" "node2 unlike seen"
	is "IPv$f: that was one packet" "$(packets "$tables" raw PREROUTING seen)" 1
	ip link set client mtu 1500
	ip -n client link set eth0 mtu 1500
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
	"$tables" -t raw -F
done
topology_down
finish
