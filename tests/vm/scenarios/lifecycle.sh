#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What the rules of a name share: how it begins, what it outlives, how it ends; and
# that nothing but its rules ends it.
. lib.sh

# name NAME: for the steps that follow; what the last one left may live on.
name() {
	name=$1$f
	file=/proc/net/xt_dtlscid/$name
}

# asked K: who answers a datagram of node K, and from where.
asked() {
	on client udp ask -s "$client" -p 40000 "$vip" $port "$(cid12 "$1")"
}

gone() { [ ! -e "$file" ]; }
settings() { tail -n 1 "$file"; }

flush() { "$tables" -t raw -F; }

# The name outlives its rule, until its flow is gone.
outlives_rule() {
	name outlives
	# shellcheck disable=SC2046 # words
	balance "$name" $(first_nodes 2) --timeout 3,3
	is "IPv$f: node 1 answers" "$(asked 1)" "node1 $vip $port"
	before=$(settings)
	flush
	check "IPv$f: without a rule the name is there" test -e "$file"
	is "IPv$f: and its flow" "$(zones | wc -l)" 1
	# shellcheck disable=SC2046
	balance "$name" $(first_nodes 2) --timeout 3,3
	is "IPv$f: a new rule finds all as it was" "$(settings)" "$before"
	is "IPv$f: also what was counted" "$(sed -n 's/ .*//; /^datagrams=/p' "$file")" "datagrams=1"
	flush
	check "IPv$f: when the flow is gone, so is the name" wait_for 20 gone
}

# A rule that contradicts the others of its name; what is left of one binds nobody.
contradicts() {
	name contradicts
	key=00112233445566778899aabbccddeeff
	# shellcheck disable=SC2046
	balance "$name" $(first_nodes 2) --hash-key $key
	refused "--zone-base" --zone-base 2000 --hash-key $key
	refused "--hash-key" --hash-key ff112233445566778899aabbccddeeff
	check "IPv$f: a rule that gives no key agrees" balance "$name" --node "3=$(node 1)"
	asked 1 > answer
	flush
	check "IPv$f: another zone base, when only a flow is left" \
		balance "$name" --node "1=$(node 1)" --zone-base 2000
	is "IPv$f: that flow is gone" "$(zones | wc -l)" 0
	is "IPv$f: and the new base holds" "$(asked 1; zones | cut -d ' ' -f 1)" \
		"node1 $vip $port
zone=2001"
	flush
}

# refused OPTION ARGUMENT...: with a line in the log that names option and name.
refused() {
	option=$1
	shift
	lines=$(dmesg | wc -l)
	balance "$name" --node "1=$(node 1)" "$@" 2> err
	is "IPv$f: $option that differs is refused" \
		"$? $(dmesg | sed "1,${lines}d; s/^\[[^]]*\] //")" \
		"$([ "$FLAVOUR" = nft ] && echo 4 || echo 1) xt_DTLSCID: target: $option differs from that of the other rules of --name $name"
}

names() {
	echo '*raw'
	for n in $(seq "$1"); do
		echo "-A PREROUTING -p udp -j DTLSCID --node 1=$(node 1) --name n$n"
	done
	echo COMMIT
}

# Under nft the rules of a table that is replaced go a little later: hence the waiting.

limits() {
	name limits
	wait_for 20 no_names
	names 64 > rules
	check "IPv$f: 64 names" "$tables-restore" rules
	is "IPv$f: and as many files" "$(find /proc/net/xt_dtlscid/ -type f | wc -l)" 64
	flush
	wait_for 20 no_names
	names 65 > rules
	"$tables-restore" rules 2> err
	is "IPv$f: 65 are refused" "$((! $?)) $("$tables" -t raw -S PREROUTING | wc -l)" "0 1"
	wait_for 20 no_names
	{ names 257 | sed "s/--name n.*/--name $name/"; } > rules
	"$tables-restore" rules 2> err
	is "IPv$f: 257 rules of a name are refused" \
		"$((! $?)) $("$tables" -t raw -S PREROUTING | wc -l)" "0 1"
	flush
	wait_for 20 no_names
}

# As many nodes as there are ids of one byte.
two_rules() {
	name two
	for first in 0 128; do
		# shellcheck disable=SC2046 # words
		balance "$name" $(seq $first $((first + 127)) | sed "s/.*/--node=&=$nodes&/")
	done
	is "IPv$f: 256 nodes in two rules" "$(grep -c ^node= "$file")" 256
	"$tables-save" -t raw > dump
	check "IPv$f: they are restored" "$tables-restore" dump
	is "IPv$f: as they were" "$("$tables-save" -t raw | grep -c -- "--node=255=${nodes}255")$(
		grep -c ^node= "$file")" 1256
	is "IPv$f: nodes of the first rule are served" \
		"$(asked 11 > answer; grep '^node=11 ' "$file" | cut -d ' ' -f 6)" "datagrams=1"
	is "IPv$f: and of the second" \
		"$(asked 200 > answer; grep '^node=200 ' "$file" | cut -d ' ' -f 6)" "datagrams=1"
	flush
}

sixty_four() {
	"$tables-restore" rules
	flush
	wait_for 20 no_names
}

# A name takes some 140 kB, and each may leave 4 kB of it: less is within the noise.
memory() {
	names 64 > rules
	sixty_four
	before=$(available)
	for round in $(seq 6); do
		sixty_four
	done
	check "IPv$f: $((round * 64)) names have come and gone, and what they took" wait_for 30 back "$before"
	echo "# IPv$f: available before and after, kB: $before, $(available)"
}

# Node 2's address is node 5's too, in a rule that a newer one has hidden but not replaced.
hidden_entry() {
	name hidden
	balance "$name" --node "5=$(node 2)"
	balance "$name" --node "2=$(node 2)"
	balance "$name" --node "5=$(node 1)"
	"$tables" -t raw -D PREROUTING 2
	is "IPv$f: a rule's own nodes decide" "$(asked 5)" "node2 $vip $port"
	is "IPv$f: and are counted" "$(grep -c '^node=5 .* new-flows=1 ' "$file")" 1
	flush
}

# Templates have what conntrack's extensions lose when any helper goes.
helper_goes() {
	name helper
	# shellcheck disable=SC2046
	balance "$name" $(first_nodes 2)
	asked 1 > answer
	modprobe nf_conntrack_ftp
	rmmod nf_conntrack_ftp
	is "IPv$f: a new flow, after a helper has gone" "$(asked 2)" "node2 $vip $port"
	flush
}


# The rules of a namespace hold the module; without them it has fewer users.
space_gone() { [ "$(users)" -eq 1 ]; }

# A balancer that is a namespace, its node an address of its own.
other_space() {
	name other
	ip netns add other
	ip -n other link set lo up
	for a in 198.51.100.1/32 192.0.2.11/32 2001:db8:1::1/128 2001:db8:2::11/128; do
		ip -n other addr add $a dev lo nodad 2> /dev/null || ip -n other addr add $a dev lo
	done
	serve other echo other "$(node 1)" $port
	on other "$tables" -t raw -A OUTPUT -d "$vip" -p udp --dport $port \
		-j DTLSCID --name "$name" --node "1=$(node 1)"
	is "IPv$f: in another namespace its own node answers" \
		"$(on other udp ask "$vip" $port "$(cid12 1)")" "other $vip $port"
	is "IPv$f: there the name has counted one datagram" \
		"$(on other sed -n 's/ .*//; /^datagrams=/p' "$file")" "datagrams=1"
	# shellcheck disable=SC2046
	balance "$name" $(first_nodes 2)
	is "IPv$f: here, none" "$(sed -n 's/ .*//; /^datagrams=/p' "$file")" "datagrams=0"
	ip netns pids other | xargs kill
	ip netns delete other
	check "IPv$f: the namespace goes, with a rule and a live flow" wait_for 20 space_gone
	is "IPv$f: here all goes on when that namespace has gone" "$(asked 1)" "node1 $vip $port"
	flush
}

module_gone() { ! grep -q ^xt_DTLSCID /proc/modules; }

# No rule is left, but a flow.
module_goes() {
	name module
	# shellcheck disable=SC2046
	balance "$name" $(first_nodes 2)
	asked 1 > answer
	flush
	wait_for 20 rmmod xt_DTLSCID 2> err
	check "IPv$f: the module can be removed while a flow lives" module_gone
	is "IPv$f: with it the flow is gone" "$(zones | wc -l)" 0
}

topology 2
for k in 1 2; do
	for f in 4 6; do
		family $f
		serve node$k echo node$k "$(node $k)" $port
	done
done
for f in 4 6; do
	family $f
	outlives_rule
	contradicts
	! at_length "$f" || limits
	[ "$f" = 6 ] || memory # the end of a name knows no family
	two_rules
	hidden_entry
	helper_goes
	other_space
	module_goes
done
serve_no_more
topology_down
finish
