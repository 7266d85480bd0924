#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j LBSP and -m lbsp: packets with all kinds of extension headers, made by hand.
#
# Each is the first of its flow: UDP from a port of its own, without a checksum, so that a
# server counts and drops it.
. lib.sh

client1=2001:db8:c::1
foreign=2001:db8:2::19 # an address there, but of no server
none=00000000000000000000000000000000
source_port=20000

# hex ADDR: its 32 digits; of the addresses here, with one ::.
hex() {
	echo "$1" | awk -F : '{
		n = split($1 == "" ? "" : $0, part, ":")
		for (i = 1; i <= n; i++) {
			if (part[i] != "") {
				out = out substr("0000" part[i], length(part[i]) + 1)
				continue
			}
			for (k = n - 1; k < 8; k++)
				out = out "0000"
		}
		print out
	}'
}

# length HEX: of so many bytes, as hex of 16 bits.
length() { printf '%04x' $((${#1} / 2)); }

# What a packet is made of; each takes what follows as hex, and NEXT is its protocol.

udp() { printf '%04x00500009000000' $source_port; printf 3f; }

# options NEXT HEX: a Destination Options (or Hop-by-Hop) header of these options.
options() { printf '%02x%02x%s' "$1" $(((${#2} / 2 + 2) / 8 - 1)) "$2"; }

# The option, and padding that makes a header whole.
option() { printf '010200001e20%s%s' "$1" "$2"; }
draft() { printf '0104%s%s00000000' "$1" "$2"; }
padding=010400000000
pads62=$(printf '%0124d' 0)

fragment() { printf '%02x00%s0000%04x' "$1" "$2" $source_port; }
routing() { printf '%02x0200%02x00000000%s' "$1" "$2" "$(hex 2001:db8:1::7)"; }
ah() { printf '%02x0400000000000100000001000102030405060708090a0b' "$1"; }
esp() { printf '0000000100000001%s' "$(udp)"; }

# send NEXT HEX...: packets from the client to the service.
send() {
	next=$1
	shift
	for body; do
		on client udp raw 255 "$vip" "60000000$(length "$body")$(printf '%02x' "$next")40$(hex "$client")$(hex "$vip")$body"
	done
	source_port=$((source_port + 1))
}

came() {
	# shellcheck disable=SC2086 # words
	[ "$(arrived $who)" = "$1" ]
}

# decided WHAT DECISION SERVERS NEXT HEX...: what is decided about it, and how many packets
# reach a server; persistent ones server 1.
decided() {
	what=$1 want=$2 reach=$3
	shift 3
	who='node1 node2'
	[ "$want" != persistent ] || who=node1
	# shellcheck disable=SC2086
	before=$(arrived $who)
	send "$@"
	wait_for 2 judged lbsp 1
	is "$what: $want" "$(news lbsp)" "packets=1 $want=1"
	wait_for 5 came $((before + reach)) || not_ok "$what: reaches $reach servers"
}

# Nothing in conntrack or in our counters, and no server.
unseen() {
	what=$1
	shift
	before=$(arrived node1 node2)
	send "$@"
	is "$what: conntrack does not take it, nor we" "$(news lbsp), $(arrived node1 node2)" \
		", $before"
}

c=$(hex $client1)

encodings() {
	decided "the option" new 1 60 "$(options 17 "$(option "$c" $none)")$(udp)"
	decided "its server" persistent 1 60 "$(options 17 "$(option "$c" "$s1")")$(udp)"
	decided "no client in it" fallback 1 60 "$(options 17 "$(option $none "$s1")")$(udp)"
	decided "no option" fallback 1 17 "$(udp)"
	decided "another option" fallback 1 60 "$(options 17 $padding)$(udp)"
	decided "the other encoding: bad padding" malformed 0 60 \
		"$(options 17 "$(draft "$c" $none)")$(udp)"
	decided "another type" fallback 1 60 \
		"$(options 17 "$(option "$c" $none | sed s/1e20/3e20/)")$(udp)"
}

places() {
	decided "behind hop-by-hop options" new 1 0 \
		"$(options 60 $padding)$(options 17 "$(option "$c" $none)")$(udp)"
	decided "in a second header" persistent 1 60 \
		"$(options 60 $padding)$(options 17 "$(option "$c" "$s1")")$(udp)"
	decided "in hop-by-hop options it is another's" fallback 1 0 \
		"$(options 17 "$(option "$c" "$s1" | sed s/1e20/3e20/)")$(udp)"
	decided "twice in a header: the first" persistent 1 60 \
		"$(options 17 "$(option "$c" "$s1")0000$(option "$c" "$(hex $foreign)")")$(udp)"
	decided "twice, in two headers: the first" foreign 1 60 \
		"$(options 60 "$(option "$c" "$(hex $foreign)")")$(options 17 "$(option "$c" "$s1")")$(udp)"
	decided "in a whole fragment" new 1 44 \
		"$(fragment 60 0000)$(options 17 "$(option "$c" $none)")$(udp)"
	decided "in fragments" persistent 1 44 \
		"$(fragment 60 0001)$(options 17 "$(option "$c" "$s1")")$(udp | cut -c -16)" \
		"$(fragment 60 0030)3f"
	decided "before a fragment header" persistent 1 60 \
		"$(options 44 "$(option "$c" "$s1")")$(fragment 17 0001)$(udp | cut -c -16)" \
		"$(options 44 "$(option "$c" "$s1")")$(fragment 17 0008)3f"
}

# headers COUNT: Destination Options headers before one with the option.
headers() {
	for _ in $(seq "$1"); do options 60 $padding; done
	options 17 "$(option "$c" "$s1")"
}

limits() {
	watch_own
	decided "8 headers" persistent 1 60 "$(headers 7)$(udp)"
	decided "9 headers" malformed 0 60 "$(headers 8)$(udp)"
	decided "an option past its header" malformed 0 60 "$(options 17 010200001e21"$c$s1")$(udp)"
	decided "cut off by its header" malformed 0 60 \
		"$(options 17 010200001e20"$c"0000000000000000)$(udp)"
	decided "of 31 bytes" malformed 0 60 "$(options 17 010200001e1f"$c$s1")$(udp)"
	decided "of 33 bytes" malformed 0 60 \
		"$(options 17 010200001e21"$c$s1"0000000000000000)$(udp)"
	decided "64 options, too many for a server" persistent 0 60 \
		"$(options 60 "$pads62")$(options 17 "$(option "$c" "$s1")")$(udp)"
	decided "65 options" malformed 0 60 \
		"$(options 60 "$pads62")$(options 17 "01010000$(option "$c" "$s1" | cut -c 9-)")$(udp)"
	is "malformed ones are dropped" "$(own)" 0
	unseen "a header past the packet's end" 60 "11ff$(option "$c" "$s1")$(udp)"
	unseen "a packet that ends in a header" 60 11
}

unsupported() {
	decided "AH" unsupported 0 60 "$(options 51 "$(option "$c" "$s1")")$(ah 17)$(udp)"
	decided "AH first" unsupported 0 51 "$(ah 60)$(options 17 "$(option "$c" "$s1")")$(udp)"
	decided "ESP" unsupported 0 60 "$(options 50 "$(option "$c" "$s1")")$(esp)"
	decided "another destination to come" unsupported 0 43 \
		"$(routing 60 1)$(options 17 "$(option "$c" "$s1")")$(udp)"
	decided "no other to come" persistent 1 43 \
		"$(routing 60 0)$(options 17 "$(option "$c" "$s1")")$(udp)"
	on client ping -c 1 -W 2 "$vip" > pinged
	is "ICMPv6 without -p: unsupported, and the balancer's own" \
		"$(news lbsp), $(grep -c ' 0% packet loss' pinged)" "packets=1 unsupported=1, 1"
	unseen "nothing above" 60 "$(options 59 "$(option "$c" "$s1")")"
}

# matches WHAT "COMMENTS" NEXT HEX...: which of the rules in raw match it.
matches() {
	what=$1 want=$2
	shift 2
	zero ip6tables raw
	send "$@"
	wait_for 5 seen 1
	is "-m lbsp: $what" "$(hits ip6tables raw PREROUTING)" "$want seen"
}

match() {
	ip6tables -t raw -A PREROUTING -d "$vip" -m lbsp "$@" -m comment --comment "$(echo "$*" | tr -d '\n-' | sed 's/ [^ ]*:[^ ]*//')"
}

# Rules without -p, so that broken chains come by, ESP and AH too.
match_rules() {
	ip6tables -t raw -A PREROUTING -d "$vip" -m lbsp -m comment --comment any
	match --client $client1
	match ! --client 2001:db8:c::/48
	match --server "$(node 1)/128"
	match ! --server "$(node 1)"
	match --server-set
	match ! --server-set
	match --encoding rfc
	match ! --encoding rfc
	match --encoding draft
	match --malformed
	match ! --malformed
	match --option-type 0x3e
	ip6tables -t raw -A PREROUTING -d "$vip" -m comment --comment seen
}

matching() {
	match_rules
	intact="! malformed"
	matches "client, no server" \
		"any client ! server ! serverset encoding rfc $intact" \
		60 "$(options 17 "$(option "$c" $none)")$(udp)"
	matches "client and server" \
		"any client server serverset encoding rfc $intact" \
		60 "$(options 17 "$(option "$c" "$s1")")$(udp)"
	matches "another client, another server" \
		"any ! client ! server serverset encoding rfc $intact" \
		60 "$(options 17 "$(option "$(hex $foreign)" "$(hex $foreign)")")$(udp)"
	matches "draft" \
		"any client server serverset ! encoding rfc encoding draft $intact optiontype 0x3e" \
		60 "$(options 17 "$(draft "$c" "$s1")")$(udp)"
	matches "another type" "$intact optiontype 0x3e" \
		60 "$(options 17 "$(option "$c" "$s1" | sed s/1e20/3e20/)")$(udp)"
	matches "none" "$intact" 17 "$(udp)"
	matches "malformed" "malformed" 60 "$(options 17 010200001e1f"$c$s1")$(udp)"
	matches "a header past the packet's end" "malformed" 60 "11ff$(option "$c" "$s1")$(udp)"
	matches "9 headers" "malformed" 60 "$(headers 8)$(udp)"
	matches "before AH" "any client server serverset encoding rfc $intact" \
		60 "$(options 51 "$(option "$c" "$s1")")$(ah 17)$(udp)"
	matches "before ESP" "any client server serverset encoding rfc $intact" \
		60 "$(options 50 "$(option "$c" "$s1")")$(esp)"
	ip6tables -t raw -F
}

# Packets that the server's stack has dropped for their headers.
# shellcheck disable=SC2016 # of awk
header_errors() { on node1 awk '$1 == "Ip6InHdrErrors" { print $2 }' /proc/net/snmp6; }

# The other rule of a deployment: --encoding draft, a type of one's own, and no strangers.
variants() {
	errors=$(header_errors)
	news lbsp > counted
	forget
	spread lbsp --encoding draft --server "$(node 1)" --server "$(node 2)"
	decided "draft" persistent 0 60 "$(options 17 "$(draft "$c" "$s1")")$(udp)"
	is "draft: its server got it, and could not read it" \
		"$(flows -6 | grep -c " $((source_port - 1)) .* reply=$(node 1) ") $(header_errors)" "1 $((errors + 1))"
	decided "draft, no server" new 0 60 "$(options 17 "$(draft "$c" $none)")$(udp)"
	decided "draft: the other encoding is another option" fallback 1 60 \
		"$(options 17 "$(option "$c" "$s1")")$(udp)"
	forget
	spread lbsp --option-type 0x3e --server "$(node 1)" --server "$(node 2)" --foreign drop
	zero ip6tables filter
	decided "its own type" persistent 1 60 \
		"$(options 17 "$(option "$c" "$s1" | sed s/1e20/3e20/)")$(udp)"
	decided "its own type: the default is another option" fallback 1 60 \
		"$(options 17 "$(option "$c" "$s1")")$(udp)"
	decided "a server of nobody's, --foreign drop" foreign 0 60 \
		"$(options 17 "$(option "$c" "$(hex $foreign)" | sed s/1e20/3e20/)")$(udp)"
	is "it is dropped" "$(own)" 0
}

# An address that a packet names, routable and none of the pool's, gets nothing.
strangers() {
	ip -n node2 address add $foreign/64 dev eth0 nodad
	ip neigh add $foreign lladdr 02:00:00:00:02:12 dev nodes
	on node2 ip6tables -t raw -A PREROUTING -d $foreign -m comment --comment stranger
	decided "a server of nobody's" foreign 1 60 "$(options 17 "$(option "$c" "$(hex $foreign)")")$(udp)"
	decided "the balancer itself" foreign 1 60 "$(options 17 "$(option "$c" "$(hex "$vip")")")$(udp)"
	is "nothing went there" "$(on node2 ip6tables -t raw -nvxL PREROUTING | awk '/stranger/ { print $1 }')" 0
}

family 6
topology 2
lbsp_counters
s1=$(hex "$(node 1)")
spread lbsp --server "$(node 1)" --server "$(node 2)"
encodings
places
limits
unsupported
strangers
matching
variants
finish
