#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The plugin's .t cases: add, save, restore, delete; refusals.
. lib.sh

cases=libxt_dtlscid.t

# The OK lines as rules, in the given field's form (1: as typed, 2: as saved).
rules() {
	grep -v '^#' "$cases" | awk -F ';' -v field="$1" '
		$3 == "OK" { print "-A INPUT -p udp " ($field == "=" ? $1 : $field) }'
}

# The table's rules in the form of rules 2.
saved() {
	"$1-save" -t filter | grep '^-A INPUT' | sed 's/ -m udp//'
}

accepted() {
	rules 2 > want
	{ echo '*filter'; rules 1; echo COMMIT; } > typed
	check "$1: every accepted form is added" "$1-restore" typed
	saved "$1" > got
	check "$1: saved as expected" diff -u want got
	"$1-save" -t filter > dump
	check "$1: its own save is restored" "$1-restore" dump
	saved "$1" > again
	check "$1: save | restore keeps every option" diff -u got again
	rules 1 | sed 's/^-A/-D/' > deletions
	{ echo '*filter'; cat deletions; echo COMMIT; } > typed
	check "$1: every rule is found for deletion" "$1-restore" -n typed
	is "$1: no rule is left" "$(saved "$1" | wc -l)" 0
}

# One line of ours, status 2, nothing changed.
refused() {
	grep -v '^#' "$cases" | grep ';FAIL$' > refusals
	while IFS=';' read -r options message _; do
		# shellcheck disable=SC2086 # words
		"$1" -A INPUT -p udp $options 2> err
		status=$?
		if [ $status = 2 ] && grep -qF -- "$message" err &&
		   [ "$(grep -vc "^Try \`" err)" = 1 ]; then
			ok "$1 refuses $options"
		else
			not_ok "$1 refuses $options" "wanted status 2 and: $message" "got $status: $(cat err)"
		fi
	done < refusals
	is "$1: refusals added no rule" "$(saved "$1" | wc -l)" 0
}

# More ranges than fit, and as many as fit.
ranges() {
	list=$(seq -s , 0 2 254)
	check "$1: 128 ids in one rule" "$1" -A INPUT -p udp -m dtlscid --node-id "$list"
	is "$1: 128 ids are saved" "$(saved "$1")" "-A INPUT -p udp -m dtlscid --node-id $list"
	"$1" -F INPUT
	"$1" -A INPUT -p udp -m dtlscid --node-id "$list,255" 2> err
	is "$1: 129 ids are refused" "$? $(grep -o 'dtlscid: .*' err)" \
		"2 dtlscid: --node-id: more than 128 ids or ranges"
}

# What -L prints, and that rules are compared by all their data.
listing() {
	"$1" -A INPUT -p udp -m dtlscid ! --node-id 1,4:9 --cid-length 6 --record cid,mixed
	is "$1 -L prints the options" \
		"$("$1" -nL INPUT | grep -o 'dtlscid.*')" \
		"dtlscid ! node-id 1,4:9 cid-length 6 record cid,mixed"
	"$1" -C INPUT -p udp -m dtlscid ! --node-id 1,4:9 --cid-length 7 --record cid,mixed 2> /dev/null
	is "$1 -C tells rules apart" $? 1
	"$1" -F INPUT
}

# Every rule in the README and the manual page can be added as it stands there.
examples() {
	sed -e ':join' -e '/\\$/N; s/\\\n//; tjoin' README.md iptables-dtlscid.8 |
		grep '^iptables -t ' > rules
	is "examples found" "$(($(wc -l < rules) > 8))" 1
	while read -r rule; do
		# shellcheck disable=SC2086 # words
		check "example: $rule" $rule
	done < rules
	for table in raw nat; do iptables -t $table -F; done
}

examples
for ipt in iptables-legacy ip6tables-legacy iptables-nft ip6tables-nft; do
	accepted "$ipt"
	refused "$ipt"
	ranges "$ipt"
	listing "$ipt"
done
finish
