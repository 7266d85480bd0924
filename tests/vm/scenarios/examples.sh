#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# examples/: rules beside a host's own, which loses none of them when ours fail; the
# nodes' firewall; and the README's way from the wiki's u32 rules to -j DTLSCID, each of
# its commands, with traffic on.
. lib.sh

PATH=/usr/local/sbin:$PATH
port=5684
programs="iptables ip6tables"

installed() {
	mkdir -p /etc/dtlscid /etc/modprobe.d /etc/systemd/system /usr/local/sbin
	cp examples/dtlscid-rules /usr/local/sbin/
	cp examples/rules.v4 examples/rules.v6 /etc/dtlscid/
}

# A host's firewall: one that drops what it does not know.
host_rules() {
	for program in $programs; do
		"$program" -P INPUT DROP
		"$program" -N host
		"$program" -A INPUT -p tcp --dport 22 -j ACCEPT
		"$program" -A INPUT -j host
		"$program" -A host -p udp --dport 7000 -m comment --comment "the host's" -j ACCEPT
		"$program" -t nat -A POSTROUTING -p tcp --dport 80 -j RETURN
	done
}

no_rules() {
	for program in $programs; do
		"$program" -P INPUT ACCEPT
		for table in filter nat raw; do
			"$program" -t $table -F
			"$program" -t $table -X
		done
	done
}

# saved: the rules of both families; only counters and the date are left out.
saved() {
	for program in $programs; do
		"$program-save" | sed 's/ \[[0-9:]*\]$//; s/ on .*//'
	done
}

# unit DIRECTIVE: what those lines of the unit say, as systemd does it: without a shell.
unit() {
	sed -n "s/^$1=//p" examples/dtlscid.service > lines
	[ -s lines ] || return
	while read -r line; do
		# shellcheck disable=SC2086 # words
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin $line || return
	done < lines
}

# fails CASE LINES TEXT COMMAND...: it does, and the host's rules are as they were; it says
# why in so many lines, the last of which has that text.
fails() {
	case=$1 lines=$2 text=$3
	shift 3
	saved > before
	"$@" 2> messages
	is "$case: fails" $? 1
	is "$case: lines to say so" "$(wc -l < messages)" "$lines"
	check "$case: the last is clear: $(tail -n 1 messages)" grep -q "^dtlscid-rules: .*$text" messages
	saved > after
	check "$case: the host's rules are as they were" diff before after
}

# without FILE CASE TEXT DIRECTIVE: while that file is not there.
without() {
	mv "$1" /hidden
	fails "$2" 1 "no rule is loaded: .*$3" unit "$4"
	mv /hidden "$1"
}

# The module is not there, is forbidden, the plugin is not there, the kernel refuses.
failures() {
	without "/lib/modules/$KERNEL/modules.dep.bin" "no module" xt_DTLSCID ExecStart
	without "/lib/modules/$KERNEL/modules.dep.bin" "no module, reload" xt_DTLSCID ExecReload
	without /usr/lib/x86_64-linux-gnu/xtables/libxt_DTLSCID.so "no plugin" DTLSCID ExecStart
	echo 'install xt_DTLSCID /bin/false' > /etc/modprobe.d/none.conf
	fails "module forbidden" 1 'no rule is loaded: .*xt_DTLSCID' unit ExecStart
	rm /etc/modprobe.d/none.conf
	for program in $programs; do "$program" -t raw -A PREROUTING -p udp --dport 53 -j ACCEPT; done
	sed 's/^-A.*/& --zone-base 1000\n& --zone-base 2000/' examples/rules.v4 > refused.v4
	fails "refused by the kernel" 1 'refused.v4 is not loaded: ' dtlscid-rules load refused.v4
	sed '/^\*raw/,$s/ --cid-length 6//' examples/count.v4 > wrong.v4
	fails "wrong in its last table" 1 'wrong.v4 is not loaded: .*--cid-length' dtlscid-rules load wrong.v4
}

# Of what is saved only that is ours which names it.
others() { grep -v -e dtls-balancer -e DTLSCID; }

loads() {
	saved > host
	check "loaded" unit ExecStart
	saved > once
	is "loaded: a rule, and ahead of all a jump to it, in each family" \
		"$(grep -c -e '-j DTLSCID' once) $(grep -A 1 '^:dtls-balancer' once | grep -c -e '^-A PREROUTING -j dtls-balancer')" "2 2"
	others < once > rest
	check "loaded: the host's rules are as they were" diff host rest
	check "loaded again" unit ExecReload
	saved > twice
	check "loaded again: the same rules" diff once twice
	check "unloaded" dtlscid-rules unload
	saved > after
	check "unloaded: what is left is the host's" diff host after
	check "unloaded again" dtlscid-rules unload
	dtlscid-rules load
	iptables -t raw -A OUTPUT -j dtls-balancer
	dtlscid-rules unload 2> messages
	is "unloaded, but somebody jumps there" "$? $(cut -d : -f 1-3 messages)" \
		"1 dtlscid-rules: /etc/dtlscid/rules.v4: chain dtls-balancer of table raw stays, empty"
	iptables -t raw -D OUTPUT -j dtls-balancer
	check "and no more" dtlscid-rules unload
}

reload() { unit ExecReload || echo failed; }

# Loaded once, then again and again while datagrams come.
under_load() {
	serve node1 tally 11 "$(node 1)" $port
	before=$(arrived node1)
	unit ExecStart
	while_sending 5 reload "$(cid12 1)"
	wait_for 30 arrived_since "$each" node1
	serve_no_more
	is "IPv$f: reloaded $times times with traffic on: none of $each datagrams is lost" \
		"$(cat node1)" "$client 42000 1 $each"
}

# A second link of node 1, that is not the balancer's.
side_link() {
	ip netns add stranger
	router_end 05 203.0.113 2001:db8:3 2 stranger | ip -n node1 -batch -
	host_end 05 203.0.113 2001:db8:3 2 | ip -n stranger -batch -
}

# answers NAMESPACE ADDRESS PORT: who does there, or nobody.
answers() {
	# What a datagram is of does not matter here.
	name=$(on "$1" udp ask -t 1000 "$2" "$3" "$no_cid" | cut -d ' ' -f 1)
	echo "${name:-nobody}"
}

# accepted NAME: how many packets the rule has let in.
accepted() { on node1 "$tables-save" -c -t filter | sed -n "s/^\[\([0-9]*\):.* -A dtls-node .*$1.*/\1/p"; }

# ICMP errors, ENCODED as type and code, to the node.
icmp_errors() {
	for error in $1; do
		on client udp raw "$protocol" "$(node 1)" "${error}00000000050045000000"
	done
}

node_firewall() {
	case $f in
	4) side=203.0.113.1 itself=node1-$port protocol=1 errors="0304 0b00 0c00" kinds="3 11 12" ;;
	6) side=2001:db8:3::1 itself=nobody protocol=58 errors="0104 0200 0300 0400" kinds="1 2 3 4" ;;
	esac
	for at in $port 7000 7001; do serve node1 echo "node1-$at" :: "$at"; done
	check "IPv$f: node: loaded" on node1 dtlscid-rules load "examples/node.v$f"
	is "IPv$f: node: the service by the balancer's link" "$(answers client "$(node 1)" $port)" node1-$port
	is "IPv$f: node: the service by another link" \
		"$(answers stranger "$side" $port) $(answers stranger "$(node 1)" $port)" "nobody nobody"
	is "IPv$f: node: other ports are as they were" \
		"$(answers stranger "$side" 7000) $(answers stranger "$side" 7001)" "node1-7000 nobody"
	is "IPv$f: node: the service from itself is as it was" "$(answers node1 "$side" $port)" "$itself"
	icmp_errors "$errors"
	for kind in $kinds; do
		is "IPv$f: node: ICMP type $kind is let in" "$(accepted "type $kind\>")" 1
	done
	serve_no_more
}

# Node 1's own firewall: in IPv4 it lets the service in from everywhere, in IPv6 from nowhere.
nodes() {
	side_link
	on node1 iptables -A INPUT -p udp --dport $port -j ACCEPT
	on node1 iptables -A INPUT -p udp --sport $port -j ACCEPT # answers to itself
	for program in $programs; do
		on node1 "$program" -P INPUT DROP
		on node1 "$program" -A INPUT -p udp --dport 7000 -j ACCEPT
	done
	for f in 4 6; do
		family $f
		node_firewall
	done
}

# The wiki's rules and timeouts.  old_rules -A|-D
old_rules() {
	for k in 1 2; do
		iptables -t nat "$1" PREROUTING -p udp --dport $port -m u32 \
			--u32 "0>>22&0x3C@8>>8=0x19FEFD && 0>>22&0x3C@16&0xFF=$k" -j DNAT --to-destination "$(node $k)"
	done
	iptables -t nat "$1" PREROUTING -p udp --dport $port -m statistic --mode nth --every 2 --packet 0 \
		-j DNAT --to-destination "$(node 1)"
	iptables -t nat "$1" PREROUTING -p udp --dport $port -j DNAT --to-destination "$(node 2)"
}

timeouts() {
	sysctl -n net.netfilter.nf_conntrack_udp_timeout net.netfilter.nf_conntrack_udp_timeout_stream | xargs
}

# Traffic: for each node a client that sends all the time; and new ones that wait for an
# answer, ten of node 1 and twenty of node 2.
stream() {
	sent=0
	while [ -e going ]; do
		ip netns exec client udp send -s "$client" -p "4000$1" -n 200 "$vip" $port "$(cid12 "$1")"
		sent=$((sent + 200))
		sleep 0.05
		echo $sent > "sent$1"
	done
}

talk() {
	for newest in $(seq $((newest + 1)) $((newest + 10))); do
		ask 1000 1
		ask 2000 2
		ask 3000 2
	done >> dialogue
}

# ask PORT K: from that port on, by a client of node K.
ask() { on client udp ask -s "$client" -p $((newest + $1)) -t 5000 "$vip" $port "$(cid12 "$2")"; }
newest=41000

# A client without a CID: $hello is who answers.
handshake() {
	hello=$(on client udp ask -s "$client" -p 45000 -t 5000 "$vip" $port "$client_hello")
	hello=${hello%% *}
}

# step N: the commands of that step of the README.
step() {
	awk -v n="$1" '/^## / { inside = /Coming from the wiki/; k = 0 }
		inside && /^```/ { k++; next }
		inside && k == 2 * n - 1' README.md > commands
	check "step $1 has commands" test -s commands
	while read -r command; do
		check "step $1: $command" eval "$command" < /dev/null
	done < commands
}

systemctl() { [ "$*" = "enable --now dtlscid" ] && unit ExecStart; }

# counted PATTERN: what the rules of nat that match it have.
counted() {
	iptables-save -c -t nat | grep -e "$1" | sed 's/^\[\([0-9]*\):.*/\1/' | xargs
}

# new_flows: those of each node under the new rule.
new_flows() { sed -n 's/^node=.* new-flows=\([0-9]*\) .*/\1/p' /proc/net/xt_dtlscid/dtlscid | xargs; }

# by_old_rules STEP COUNTS: how many of the new clients came by them, of node 1 and 2.
by_old_rules() {
	iptables -t nat -Z
	talk
	is "$1: clients by the old rules" "$(counted --u32)" "$2"
}

# all_there: each datagram came to the node of its CID, and each question was answered.
all_there() {
	rm going
	# shellcheck disable=SC2086 # numbers
	wait $streams
	asked_1=$((newest - 41000))
	asked_2=$((2 * asked_1))
	is "on the way: each client had its answers from its node" "$(sort dialogue | uniq -c | xargs)" \
		"$asked_1 node1 $vip $port $asked_2 node2 $vip $port"
	for k in 1 2; do
		eval "want=\$((had_$k + asked_$k + $(cat sent$k)))"
		[ "$hello" != node$k ] || want=$((want + 1))
		before=0
		wait_for 30 arrived_since "$want" node$k
		is "on the way: the datagrams that node $k has had" "$(arrived node$k)" "$want"
	done
}

# live: a service by the old rules, and traffic.
live() {
	old_rules -A
	sysctl -qw net.netfilter.nf_conntrack_udp_timeout=15 net.netfilter.nf_conntrack_udp_timeout_stream=15
	: > going
	streams=
	for k in 1 2; do
		serve node$k echo node$k "$(node $k)" $port
		eval "had_$k=$(arrived node$k)"
		stream $k &
		streams="$streams $!"
	done
}

way() {
	live
	step 1
	step 2
	by_old_rules "counting" "10 20"
	is "counting: and by the new" "$(counted --node-id)" "10 20"
	step 3
	by_old_rules "node 1 by the new rule" "0 20"
	step 4
	by_old_rules "nodes 1 and 2 by the new rule" "0 0"
	step 5
	by_old_rules "all by the new rule" "0 0"
	is "all by the new rule: new flows there" "$(new_flows)" "31 41"
	handshake
	check "all by the new rule: and a handshake, which $hello answers" grep -q ' client-hello=1 ' /proc/net/xt_dtlscid/dtlscid
	step 6
	by_old_rules "the way back" "10 20"
	step 5
	by_old_rules "and forth" "0 0"
	step 7
	old_rules -D
	by_old_rules "the end" ""
	is "the end: no rule is left in nat, and the usual timeouts" \
		"$(iptables-save -t nat | grep -c ^-A) $(timeouts)" "0 30 120"
	check "the end: and all is loaded at the start" [ -e /etc/systemd/system/dtlscid.service ]
	all_there
	serve_no_more
}

installed
host_rules
failures
loads
no_rules
sysctl -q -w net.core.rmem_default=16000000 net.core.netdev_max_backlog=10000
topology 2
for f in 4 6; do
	family $f
	under_load
done
dtlscid-rules unload
nodes
ip netns delete stranger
rm -r /etc/dtlscid /usr/local/sbin/dtlscid-rules
family 4
way
topology_down
finish
