#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Under iptables-nft a rule of the most nodes there can be is still one that monitors
# hear of: a rule that is too large for a message is added without a word.
. lib.sh

# What a monitor writes to a file waits until there is more: let there be more.
noise() {
	"$tables-nft" -t raw -N probe_that_is_long_for_that
	"$tables-nft" -t raw -X probe_that_is_long_for_that
}

# heard FILE PATTERN...: whether all of these are in what a monitor wrote.
heard() {
	noise
	file=$1
	shift
	for pattern; do
		grep -q -- "$pattern" "$file" || return
	done
}

most_nodes() {
	seq 128 | sed "s/.*/--node &=$nodes&/" | xargs
}

# A comment of 200 characters is in the rule too.
rule() {
	# shellcheck disable=SC2046 # words
	"$tables-nft" -t raw "$1" PREROUTING -d "$vip" -p udp --dport 5684 \
		-m comment --comment "$(printf '%0200d' 0)" -j DTLSCID $(most_nodes)
}

# watch NAME COMMAND...: a monitor listens a little after it was started.
watch() {
	name=$1
	shift
	: > "$name.out"
	"$@" >> "$name.out" 2>&1 &
	eval "$name=$!"
	check "IPv$f: $name listens" wait_for 90 heard "$name.out" probe
}

# xtables-monitor 1.8.9 does not survive a rule of ip6tables with an address.
stock_rule_told() {
	# shellcheck disable=SC2154 # set by watch
	heard xtables.out ACCEPT || ! kill -0 "$xtables" 2> /dev/null
}

survives_stock() {
	"$tables-nft" -t raw -A PREROUTING -d "$vip" -p udp --dport 5684 -j ACCEPT
	wait_for 30 stock_rule_told
	grep -q ACCEPT xtables.out
}

for f in 4 6; do
	family $f
	noise # nft's does not hear of a table that is made just as it begins
	[ $f = 4 ] && option=-4 program=iptables || option=-6 program=ip6tables
	watch nft nft monitor
	watch xtables xtables-monitor -e
	survives_stock && stock=1 || stock=0
	check "IPv$f: a rule of 128 nodes is added" rule -A
	check "IPv$f: and deleted" rule -D
	# Linux 5.10 says of any rule that it is inserted.
	check "IPv$f: nft monitor heard both" wait_for 90 heard nft.out \
		'^\(add\|insert\) rule .*DTLSCID' '^delete rule'
	if [ "$stock" = 1 ]; then
		check "IPv$f: xtables-monitor heard both" wait_for 90 heard xtables.out \
			"\($option\|$program\) -t raw -A PREROUTING .*-j DTLSCID --node" \
			"\($option\|$program\) -t raw -D PREROUTING"
	else
		is "IPv$f: xtables-monitor dies of a stock rule: only in 1.8.9 and for IPv6" \
			"$f $(iptables-nft --version | awk '{ print $2 }')" "6 v1.8.9"
	fi
	# shellcheck disable=SC2154 # set by watch
	kill "$nft" "$xtables" 2> /dev/null
	"$tables-nft" -t raw -F
done
finish
