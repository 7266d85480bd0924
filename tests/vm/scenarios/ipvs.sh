#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID --new continue beside IPVS, which gives new clients their nodes: 20 real
# DTLS sessions that change their place, with IPVS outside of conntrack and in it.
. lib.sh
. ./peers.sh

clients=$(seq 20)
rounds="1 2"

# The service is IPVS's, what has a CID is ours.
services() {
	ipvsadm -A -u "$(with_port "$vip")" -s rr
	for k in 1 2; do
		ipvsadm -a -u "$(with_port "$vip")" -r "$(with_port "$(node $k)")" -m
	done
}

with_port() {
	case $f in
	4) echo "$1:$port" ;;
	6) echo "[$1]:$port" ;;
	esac
}

# place N ROUND: set $address and $from.  In the second round it is the first one of
# another client, as a rule the other node's, which has left it by then.
place() {
	address=$client2 from=$((base + 100 * $2 + $1))
	case $2 in
	0) address=$client ;;
	2) address=$client from=$((base + $1 % 20 + 1)) ;;
	esac
}

# meet N
meet() {
	place "$1" 0
	start_client "c$1" "$peer" --bind "$address" "$from" --wait 10000 "$vip" "$port"
	tell "c$1" connect
	tell "c$1" say hello
}

# move N ROUND
move() {
	place "$1" "$2"
	tell "c$1" move "$address" "$from"
	tell "c$1" say "round $2"
}

# so_far COUNT: whether all together have done with so many messages.
so_far() { [ "$(replies c*.log)" -ge "$1" ]; }

# The stories that are not: one handshake, all answers of that node.
# shellcheck disable=SC2086 # words
other_stories() {
	for n in $clients; do
		k=$(home "c$n")
		want="handshake 1 cid 0$k answer node$k: hello$(printf " answer node$k: round %s" $rounds)"
		[ "$(story "c$n")" = "$want" ] || echo "client $n: $(story "c$n")"
	done
}

# places: where clients were, as ADDRESS PORT.
places() {
	for n in $clients; do
		for round in 0 $rounds; do
			place "$n" "$round"
			echo "$address $from"
		done
	done
}

# other_places: where only nodes say that clients were, or only we.
other_places() {
	places | sort -u > own
	sed -n 's/^message [0-9]* from \([^ ]* [0-9]*\) .*/\1/p' node1.log node2.log | sort -u |
		sort - own | uniq -u
}

# reasons: what the datagrams came to; some peers repeat a flight, of which a part has
# no CID.
reasons() { counts "$name" | sed -n '/=0$/d; /^no-cid/d; s/=.*//p' | xargs; }

sessions() {
	for k in 1 2; do : > node$k.log; done
	services
	for n in $clients; do meet "$n"; done
	wait_for 60 so_far 20
	for round in $rounds; do
		for n in $clients; do move "$n" "$round"; done
		wait_for 60 so_far $((20 + 20 * round))
	done
	is "$title: 20 sessions, one handshake each, all answers of its node" "$(other_stories)" ""
	is "$title: IPVS gave each node ten" "$(events handshake)" "10 10"
	is "$title: the nodes saw two moves of each" "$(events moved)" "20 20"
	is "$title: no datagram at a node without its keys" "$(events unknown-cid)" "0 0"
	is "$title: the nodes saw the clients at their own ports" "$(other_places)" ""
	is "$title: the rule served CIDs, and left the rest to IPVS" "$(reasons)" \
		"datagrams cid${version%.*}${version#*.} client-hello"
	for n in $clients; do stop_client "c$n"; done
	ipvsadm -C
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

# beside TITLE 0|1 OPTION...: whether IPVS's connections are conntrack's too.
beside() {
	title="DTLS $version, IPv$f, $1" name=d${version#*.}ipv${f}ct$2
	sysctl -q -w net.ipv4.vs.conntrack="$2"
	shift 2
	balance "$name" --node 1="$(node 1)" --node 2="$(node 2)" --cid-length 6 --new continue "$@"
	sessions
	base=$((base + 1000))
}

topology 2
modprobe ip_vs
base=20000
for version in 1.2 1.3; do
	peer_of $version
	start_nodes 2 "$peer" "$port"
	for f in 4 6; do
		at_length $f || continue
		family $f
		beside "net.ipv4.vs.conntrack=0" 0
		beside "net.ipv4.vs.conntrack=1 and --zone0-check" 1 --zone0-check
	done
done
topology_down
finish
