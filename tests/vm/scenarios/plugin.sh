#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The plugins' .t cases: add, save, restore, delete; refusals.
. lib.sh
set -f # [ADDR]:PORT is no pattern
key=00112233445566778899aabbccddeeff

# use PROGRAM FILE: rules are made by that program, where that file of cases says.
use() {
	ipt=$1
	cases=$2
	table=$(sed -n 's/^\*//p' "$cases")
	read -r chain before <<-END
	$(sed -n 's/^://p' "$cases")
	END
	before=${before:+$before }
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
	lines OK | awk -F ';' -v field="$1" -v begin="-A $chain $before" '
		{ print begin ($field == "=" ? $1 : $field) }'
}

# The table's rules in the form of rules 2.
saved() {
	"$ipt-save" -t "$table" | grep "^-A $chain" | sed 's/ -m udp//'
}

# rule -A|-C OPTIONS...: messages go to the file err.
rule() {
	# shellcheck disable=SC2086 # words
	"$ipt" -t "$table" "$1" "$chain" $before $2 2> err
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
	echo "-A $chain $before$2" | tee typed > want
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

# as_many TARGET OPTION VALUE SUFFIX: as many of an option as fit, and one more; SUFFIX is as
# long as can be.  iptables-restore takes 254 words a rule.
as_many() {
	most "128 --$2" "-j $1 $(list 128 "--$2=$3")"
	check "$ipt: 128 --$2, each two words" rule -A "-j $1 $(list 128 "--$2 $3")"
	is "$ipt: 128 --$2 are saved as one word each" "$(saved | wc -w)" \
		"$(echo "-A $chain $before -j $1 $(seq -s ' ' 128)" | wc -w)"
	"$ipt" -t "$table" -F
	refused "129 --$2" "-j $1 $(list 129 "--$2 $3")" "$1: --$2: more than 128 $2s"
	most "100 --$2" "-j $1 $(list 100 "--$2 $3,$4")"
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
	check "$ipt -C finds it" rule -C "$1"
	for command in $(commands); do
		rule "$command" "$3"
		is "$ipt $command tells rules apart" $? 1
	done
	"$ipt" -t "$table" -F
}

# ip6tables-legacy 1.8.9 compares less than all for -C.
commands() {
	echo -D
	[ "$ipt" = ip6tables-legacy ] || echo -C
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
	accepted
	refusals
	as_many DTLSCID node "&=$nodes&" weight=255,cid-length=255,drain
	[ $version = 4 ] || long_nodes
	listing "-j DTLSCID --node 1=${nodes}1,drain --hash-key $key --no-dnat --name a" \
		"DTLSCID node 1=${nodes}1,drain hash-key set no-dnat name a" \
		"-j DTLSCID --node 1=${nodes}1,up --hash-key $key --no-dnat --name a"
}

lbsp_match() {
	use "$1" libip6t_lbsp.t
	accepted
	refusals
	listing "-m lbsp --client 2001:db8::/32 ! --server ${nodes}1 ! --server-set --option-type 31" \
		"lbsp client 2001:db8::/32 ! server ${nodes}1 ! server-set option-type 0x1f" \
		"-m lbsp --client 2001:db8::/33 ! --server ${nodes}1 ! --server-set --option-type 31"
	listing "-m lbsp ! --encoding draft ! --malformed" "lbsp ! encoding draft ! malformed" \
		"-m lbsp ! --encoding rfc ! --malformed"
}

lbsp_target() {
	use "$1" libip6t_LBSP.t
	accepted
	refusals
	as_many LBSP server "$nodes&" weight=255,drain
	most "all that is to be said" "-j LBSP $(list 128 \
		"--server=2001:1db8:1111:2222:3333:4444:5555:1&,weight=255,drain") --option-type 0x3f \
--foreign drop --hash-key $key --timeout 86400,86400 --name abcdefghijklmnopqrstuvwxyz01234"
	listing "-j LBSP --server ${nodes}1,drain --option-type 31 --hash-key $key --timeout 9 --name a" \
		"LBSP server ${nodes}1,drain option-type 0x1f hash-key set timeout 9,9 name a" \
		"-j LBSP --server ${nodes}1,up --option-type 31 --hash-key $key --timeout 9 --name a"
	listing "-j LBSP --server ${nodes}1 --encoding draft --foreign drop" \
		"LBSP server ${nodes}1 encoding draft foreign drop" \
		"-j LBSP --server ${nodes}1 --encoding draft"
}

# nowhere_else WHY COMMAND...: it fails, as the file err or the kernel's log says.
nowhere_else() {
	why=$1
	shift
	lines=$(dmesg | wc -l)
	"$@" 2> err
	status=$?
	dmesg | sed "1,${lines}d" >> err
	if [ $status -ne 0 ] && grep -q -e "$why" err; then
		ok "refused: $*"
	else
		not_ok "refused: $*" "got $status: $(cat err)"
	fi
}

# LBSP is IPv6's, and its target is of one table and two chains.
lbsp_places() {
	v4=iptables-$FLAVOUR v6=ip6tables-$FLAVOUR to="-j LBSP --server 2001:db8::1"
	nowhere_else "Couldn't load match .lbsp" "$v4" -A INPUT -m lbsp
	# shellcheck disable=SC2086 # words
	{
	nowhere_else "unknown option .*--server" "$v4" -t nat -A PREROUTING $to
	for at in "filter INPUT" "raw PREROUTING" "mangle OUTPUT"; do
		nowhere_else "LBSP target: only valid in nat table" "$v6" -t ${at% *} -A ${at#* } $to
	done
	for chain in INPUT POSTROUTING; do
		nowhere_else "LBSP target: used from hooks $chain" "$v6" -t nat -A $chain $to
	done
	}
	for table in filter raw mangle nat; do "$v6-save" -t $table; done > dump
	is "$v6: no rule is there" "$(grep -c LBSP dump)" 0
}

# Every rule in the README and the manual pages can be added as it stands there.
examples() {
	sed -e ':join' -e '/\\$/N; s/\\\n//; tjoin' README.md iptables-dtlscid.8 ip6tables-lbsp.8 |
		grep '^ip6\{0,1\}tables -t ' > rules
	is "examples found" "$(($(wc -l < rules) > 10))" 1
	while read -r rule; do
		# shellcheck disable=SC2086 # words
		check "example: $rule" $rule
	done < rules
	for table in raw nat; do iptables -t $table -F; ip6tables -t $table -F; done
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
lbsp_match "ip6tables-$FLAVOUR"
lbsp_target "ip6tables-$FLAVOUR"
lbsp_places
finish
