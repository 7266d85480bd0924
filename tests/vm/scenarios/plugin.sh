#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The plugins' .t cases: add, save, restore, delete; refusals.
. lib.sh
set -f # [ADDR]:PORT is no pattern

# use PROGRAM FILE: rules are made by that program, where that file of cases says.
use() {
	ipt=$1
	cases=$2
	table=$(sed -n 's/^\*//p' "$cases")
	chain=$(sed -n 's/^://p' "$cases")
	version=4
	[ "$ipt" = "${ipt#ip6}" ] || version=6
	family $version
}

# lines KIND: the family's lines of that kind, OK or FAIL.
lines() {
	# shellcheck disable=SC2154 # nodes is set by family
	grep -v '^[#*:]' "$cases" | sed "s/@\([0-9]\)/$nodes\1/g" |
		awk -F ';' -v kind="$1" -v version=$version '$3 == kind && (!$4 || $4 == version)'
}

# The OK lines as rules, in the given field's form (1: as typed, 2: as saved).
rules() {
	lines OK | awk -F ';' -v field="$1" -v chain="$chain" '
		{ print "-A " chain " -p udp " ($field == "=" ? $1 : $field) }'
}

# The table's rules in the form of rules 2.
saved() {
	"$ipt-save" -t "$table" | grep "^-A $chain" | sed 's/ -m udp//'
}

# rule -A|-C OPTIONS...: messages go to the file err.
rule() {
	# shellcheck disable=SC2086 # words
	"$ipt" -t "$table" "$1" "$chain" -p udp $2 2> err
}

# round_trip WHAT: the rules of the file typed, which are saved as in the file want.
round_trip() {
	{ echo "*$table"; cat typed; echo COMMIT; } > input
	check "$ipt: $1: added" "$ipt-restore" input
	saved > got
	check "$ipt: $1: saved as expected" diff -u want got
	"$ipt-save" -t "$table" > dump
	check "$ipt: $1: its own save is restored" "$ipt-restore" dump
	saved > again
	check "$ipt: $1: save | restore keeps every option" diff -u got again
	{ echo "*$table"; sed 's/^-A/-D/' typed; echo COMMIT; } > input
	check "$ipt: $1: found for deletion" "$ipt-restore" -n input
	is "$ipt: $1: no rule is left" "$(saved | wc -l)" 0
}

accepted() {
	rules 1 > typed
	rules 2 > want
	round_trip "every accepted form"
}

# refused WHAT OPTIONS MESSAGE: one line of ours, status 2.
refused() {
	rule -A "$2"
	status=$?
	if [ $status = 2 ] && grep -qF -- "$3" err && [ "$(grep -vc "^Try \`" err)" = 1 ]; then
		ok "$ipt refuses $1"
	else
		not_ok "$ipt refuses $1" "wanted status 2 and: $3" "got $status: $(cat err)"
	fi
}

refusals() {
	lines FAIL > refusals
	while IFS=';' read -r options message _; do
		refused "$options" "$options" "$message"
	done < refusals
	is "$ipt: refusals added no rule" "$(saved | wc -l)" 0
}

# most WHAT OPTIONS: one rule of that many, written as it is saved.
most() {
	echo "-A $chain -p udp $2" | tee typed > want
	round_trip "$1"
}

# list COUNT FORM: FORM that often, & in it is 1, 2 and so on.
list() {
	seq "$1" | sed "s/.*/$2/" | xargs
}

# More ranges than fit, and as many as fit.
ranges() {
	ids=$(seq -s , 0 2 254)
	most "128 ids" "-m dtlscid --node-id $ids"
	refused "129 ids" "-m dtlscid --node-id $ids,255" \
		"dtlscid: --node-id: more than 128 ids or ranges"
}

# Nodes that are as long as can be: as many as fit, and more.
long_nodes() {
	node="--node=&=[2001:db8:1111:2222:3333:4444:5555:&]:56840,weight=255,cid-length=255,drain"
	most "8,951 characters" "-j DTLSCID $(list 103 "$node")"
	refused "9,040 characters" "-j DTLSCID $(list 104 "$node")" \
		"--node: 9040 characters, too many for iptables-restore (1..9000)"
}

# As many nodes as fit, and one more.  iptables-restore takes 254 words a rule.
nodes() {
	most "128 nodes" "-j DTLSCID $(list 128 "--node=&=$nodes&")"
	check "$ipt: 128 nodes, each two words" rule -A "-j DTLSCID $(list 128 "--node &=$nodes&")"
	is "$ipt: 128 nodes are saved as one word each" "$(saved | wc -w)" $((6 + 128))
	"$ipt" -t "$table" -F
	refused "129 nodes" "-j DTLSCID $(list 129 "--node &=$nodes&")" \
		"DTLSCID: --node: more than 128 nodes"
	most "100 nodes" "-j DTLSCID $(list 100 "--node &=$nodes&,weight=255,cid-length=255,drain")"
	[ $version = 4 ] || long_nodes
}

# listing OPTIONS PRINTED OTHER: what -L prints of a rule with these options, and that
# it is not one with those others.
listing() {
	rule -A "$1"
	line=$("$ipt" -t "$table" -nL "$chain" | tail -n 1)
	case $line in
	*" $2") ok "$ipt -L prints $2" ;;
	*) not_ok "$ipt -L prints $2" "got: $line" ;;
	esac
	rule -C "$3"
	is "$ipt -C tells rules apart" $? 1
	"$ipt" -t "$table" -F
}

match() {
	use "$1" libxt_dtlscid.t
	accepted
	refusals
	ranges
	listing "-m dtlscid ! --node-id 1,4:9 --cid-length 6 --record cid,mixed" \
		"dtlscid ! node-id 1,4:9 cid-length 6 record cid,mixed" \
		"-m dtlscid ! --node-id 1,4:9 --cid-length 7 --record cid,mixed"
}

target() {
	use "$1" libxt_DTLSCID.t
	key=00112233445566778899aabbccddeeff
	accepted
	refusals
	nodes
	listing "-j DTLSCID --node 1=${nodes}1,drain --hash-key $key --no-dnat --name a" \
		"DTLSCID node 1=${nodes}1,drain hash-key set no-dnat name a" \
		"-j DTLSCID --node 1=${nodes}1,up --hash-key $key --no-dnat --name a"
}

# Every rule in the README and the manual page can be added as it stands there.
examples() {
	sed -e ':join' -e '/\\$/N; s/\\\n//; tjoin' README.md iptables-dtlscid.8 |
		grep '^iptables -t ' > rules
	is "examples found" "$(($(wc -l < rules) > 10))" 1
	while read -r rule; do
		# shellcheck disable=SC2086 # words
		check "example: $rule" $rule
	done < rules
	for table in raw nat; do iptables -t $table -F; done
}

examples
if at_length 4; then
	match "iptables-$FLAVOUR"
	target "iptables-$FLAVOUR"
fi
if at_length 6; then
	match "ip6tables-$FLAVOUR"
	target "ip6tables-$FLAVOUR"
fi
finish
