#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The match loads by itself, works in every table and chain, and is for UDP.
. lib.sh

chains() {
	cat <<-END
	raw PREROUTING OUTPUT
	mangle PREROUTING INPUT FORWARD OUTPUT POSTROUTING
	nat PREROUTING INPUT OUTPUT POSTROUTING
	filter INPUT FORWARD OUTPUT
	security INPUT FORWARD OUTPUT
	END
}

loaded() { grep -q '^xt_dtlscid ' /proc/modules; }

unload() {
	for u in $all; do "$u" -F; done
	wait_for 30 rmmod xt_dtlscid # nft lets go of a rule a little later
}

# refused PROTOCOL-OPTIONS
refused() {
	# shellcheck disable=SC2086 # words
	"$ipt" -A INPUT $1 -m dtlscid 2> /dev/null
	is "$ipt: refused with '$1'" "$((! $?)) $("$ipt" -S INPUT)" "0 -P INPUT ACCEPT"
}

all='iptables-legacy ip6tables-legacy iptables-nft ip6tables-nft'

# First of all: the log takes ten such lines in five seconds.
for ipt in $all; do
	lines=$(dmesg | wc -l)
	refused ''
	is "$ipt: the kernel's log says in a line that UDP is needed" \
		"$(dmesg | sed "1,${lines}d" | grep -c 'dtlscid match: only valid for protocol')" 1
done

for ipt in $all; do
	! loaded || check "$ipt: the module can be removed" unload
	check "$ipt: a rule loads the module by its alias" \
		"$ipt" -A INPUT -p udp -m dtlscid --node-id 1
	check "$ipt: the module is there" loaded
	check "$ipt: -m before -p" "$ipt" -A INPUT -m dtlscid --node-id 1 -p udp

	chains | while read -r table names; do
		for chain in $names; do
			"$ipt" -t "$table" -A "$chain" -p udp -m dtlscid || echo "$table $chain"
			"$ipt" -t "$table" -F "$chain"
		done
	done > failures 2>&1
	is "$ipt: every table and chain" "$(cat failures)" ""

	"$ipt" -F
	for p in '-p tcp' '! -p udp' '-p udplite'; do refused "$p"; done
done
finish
