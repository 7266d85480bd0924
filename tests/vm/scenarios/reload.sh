#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: a thousand rulesets and a hundred times the modules, while a client port that
# has CIDs of three nodes sends: nothing is lost but while there is no rule, nothing goes astray,
# and memory is what it was.
. lib.sh

rulesets=1000 reloads=100

tally_all() {
	tally_names 3
	before=$(arrived node1 node2 node3)
}

# By node: the ids that came there, and how many datagrams.
came() { cut -d ' ' -f 3,4 node1 node2 node3; }

# Each rule is replaced by itself, and by another.
four() {
	for extra in '' '' ',weight=7 --node 4=192.0.2.99' ',weight=7 --node 4=192.0.2.99'; do
		[ "$f" = 4 ] || extra=$(echo "$extra" | sed 's/192.0.2.99/2001:db8:2::99/')
		ruleset "$name" "$(first_nodes 3)$extra"
	done
}

load_hundred() { "$tables-restore" -n < hundred; }

replaced() {
	name=replaced$f
	for _ in $(seq 25); do four; done > hundred
	load_hundred
	memory=$(available) had=$(entries)
	tally_all
	while_sending $((rulesets / 100)) load_hundred "$(cid12 1)" "$(cid12 2)" "$(cid12 3)"
	wait_for 60 arrived_since $((3 * each)) node1 node2 node3
	serve_no_more
	is "IPv$f: $((100 * times)) rulesets: of $((3 * each)) datagrams each comes to its node" \
		"$(came)" "$(printf "%s $each\n" 1 2 3)"
	is "IPv$f: and is counted" "$(news "$name")" "datagrams=$((3 * each)) cid12=$((3 * each))"
	is "IPv$f: there is one flow for each node" "$(zones | wc -l)" 3
	"$tables" -t raw -F
	conntrack -F 2> flushed
	is "IPv$f: entries are as many as before" "$(entries)" "$had"
	check "IPv$f: memory is what it was, to 1.5 MB" wait_for 30 back "$memory"
	echo "# IPv$f: available before and after, kB: $memory, $(available)"
}

# served: how many datagrams the target has sent to nodes since the module was loaded.
served() { counts "$name" | sed -n 's/^cid12=//p'; }
enough() { [ "$(served)" -ge 50 ]; }

gone() { ! grep -q -e ^xt_DTLSCID -e ^nf_dtlscid /proc/modules || rmmod xt_DTLSCID nf_dtlscid 2> err; }

# A packet takes a while ahead of table raw, whose rules may be others when it comes there;
# the hooks that it will pass were known before.
slow() {
	case $f in 4) what="ip daddr 203.0.113.9" ;; 6) what="ip6 daddr 2001:db8:9::9" ;; esac
	{
		echo "add table inet slow"
		echo "add chain inet slow prerouting { type filter hook prerouting priority -450; }"
		for _ in $(seq 1000); do echo "add rule inet slow prerouting $what drop"; done
	} | nft -f -
}

# Chains that have a hook for the first time, or the last, change the kernel's code: QEMU of
# several threads does not always see that, and runs in circles.
hold() {
	for ipt in iptables ip6tables; do
		for hook in INPUT FORWARD OUTPUT; do $ipt -A $hook -m conntrack --ctstate NEW; done
	done
}

# With live flows, and with templates under way until there is no rule.
reload() {
	"$tables-restore" -n < rule
	wait_for 20 enough || idle=$((idle + 1))
	"$tables" -t raw -F
	wait_for 20 no_users
	sent=$((sent + $(served)))
	wait_for 20 gone || stayed=$((stayed + 1))
}

keep_sending() {
	while [ ! -e quiet ]; do send_each 100 "$(cid12 1)" "$(cid12 2)" "$(cid12 3)"; done
}

# of_counted: at the nodes, all that was counted.
of_counted() { arrived_since "$sent" node1 node2 node3; }

modules() {
	name=modules$f
	ruleset "$name" "$(first_nodes 3)" > rule
	idle=0 stayed=0 sent=0
	rm -f quiet
	slow
	tally_all
	keep_sending &
	reload
	reload
	memory=$(available)
	for _ in $(seq "$1"); do reload; done
	: > quiet
	wait $!
	wait_for 30 of_counted
	serve_no_more
	is "IPv$f: modules loaded and unloaded $1 times: they always came, and went" "$idle $stayed" "0 0"
	is "IPv$f: of $sent datagrams that met a rule each comes to its node" \
		"$(came | awk '{ n += $2; print $1 }; END { print n }' | xargs)" "1 2 3 $sent"
	check "IPv$f: memory is what it was, to 1.5 MB" wait_for 30 back "$memory"
	echo "# IPv$f: available before and after, kB: $memory, $(available)"
	nft delete table inet slow
}

sysctl -q -w net.core.rmem_default=64000000 net.core.netdev_max_backlog=100000
topology 3
hold
for f in 4 6; do
	at_length $f || continue
	family $f
	replaced
	modules $reloads
done
topology_down
finish
