#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: no memory.  Of what changes rules and states, and of what loads the module, with
# some namespaces there, each allocation fails once, by itself; of packets', one in five.  For
# kernels that have failslab.
. lib.sh

slab=/sys/kernel/debug/failslab
nth=$PWD/nth

# beginning COMMAND...: the allocations up to where the command has begun to do something.
beginning() { echo $(($("$nth" 1000000 "$@" < "$input" 2> said) - 5)); }

# one_by_one FIRST JUDGE COMMAND...: the command with that allocation failing, then with the
# next, and so on; there were $tries of them, $failed had it fail, and after $wrong of them the
# judge, who is told the command's status, did not like what he saw.
one_by_one() {
	n=$1 judge=$2 tries=0 failed=0 wrong=0
	shift 2
	while made=$("$nth" "$n" "$@" < "$input" 2> said); status=$?; [ -z "$made" ]; do
		[ $status -eq 0 ] || failed=$((failed + 1))
		"$judge" $status || {
			wrong=$((wrong + 1))
			echo "# allocation $n: status $status: $(head -n 3 said | xargs)"
		}
		tries=$((tries + 1)) n=$((n + 1))
	done
}
input=/dev/null

# answered DATAGRAM
answered() { on client udp ask -s "$client" -p 40000 -t 500 "$vip" "$port" "$1" > answer; }

# As many nodes as the rules have, all served, with a CID and without.
whole() {
	[ "$(grep -c ^node= "/proc/net/xt_dtlscid/$name")" -eq \
		"$("$tables-save" -t raw | grep -o -e '--node [0-9]*' | sort -u | wc -l)" ] &&
		answered "$(cid12 2)" && answered "$client_hello"
}

# A rule is there or it is not, whatever iptables says; where there was no memory as one went,
# all is in order when the name has been looked after.
rule_whole() {
	wait_for 10 whole
	was=$?
	"$tables-restore" -n < smaller
	return "$was"
}

rules() {
	name=rules$f
	ruleset "$name" "$(first_nodes 2)" > smaller
	ruleset "$name" "$(first_nodes 3)" > larger
	"$tables-restore" -n < smaller
	input=larger
	one_by_one "$(beginning "$tables-restore" -n --test)" rule_whole "$tables-restore" -n
	input=/dev/null
	is "IPv$f: a rule replaced, each of $tries allocations fails: what is there is whole" $wrong 0
	check "IPv$f: and $failed times it was refused" test $failed -gt 5
	"$tables" -t raw -F
}

# A name's first rule: all of it is there, or nothing.  The name begins anew each time, as
# what is left of it has another zone base.
name_whole() {
	was=0
	if [ "$1" -eq 0 ] || "$tables" -t raw -S | grep -q DTLSCID; then
		whole
		was=$?
	fi
	"$tables" -t raw -F
	replace "$name" "$(first_nodes 2)" --zone-base 2000 || was=1
	"$tables" -t raw -F
	return "$was"
}

names() {
	name=names$f
	ruleset "$name" "$(first_nodes 2)" > rule
	input=rule
	one_by_one "$(beginning "$tables-restore" -n --test)" name_whole "$tables-restore" -n
	input=/dev/null
	is "IPv$f: a name's first rule, each of $tries allocations fails: it is there or is not" $wrong 0
	check "IPv$f: and $failed times it was refused" test $failed -gt 5
}

state() { sed -n "s/^node=2 .* state=\([^ ]*\).*/\1/p" "/proc/net/xt_dtlscid/$name"; }

# The command has been done if it says so, and else has not.
as_told() {
	now=$(state)
	echo "$back" > "/proc/net/xt_dtlscid/$name"
	[ "$now" = "$([ "$1" -eq 0 ] && echo "$to" || echo "$from")" ]
}

# tell FROM TO
tell() {
	from=$1 to=$2 back="$1 2"
	echo "$back" > "/proc/net/xt_dtlscid/$name"
	one_by_one "$(beginning sh -c :)" as_told sh -c "echo $2 2 > /proc/net/xt_dtlscid/$name"
	is "IPv$f: from $from to $to, each of $tries allocations fails: it is done or refused" $wrong 0
}

all_or_nothing() { [ "$1" -ne 0 ] || [ "$(grep -c ^node= said) $(grep -c ^name= said)" = "2 1" ]; }

proc() {
	name=proc$f
	replace "$name" "$(first_nodes 2)"
	tell up drain
	tell down up
	tell up down
	one_by_one "$(beginning cat /dev/null)" all_or_nothing cat "/proc/net/xt_dtlscid/$name"
	is "IPv$f: the file read, each of $tries allocations fails: all is there, or an error" $wrong 0
	"$tables" -t raw -F
}

loaded() { grep -q ^xt_DTLSCID /proc/modules; }

goes() { ! loaded || rmmod xt_DTLSCID 2> err; }

# A module is there or it is not.
module_whole() {
	if [ "$1" -eq 0 ]; then loaded; else ! loaded; fi
	was=$?
	wait_for 10 goes && return "$was"
}

modules() {
	modprobe xt_DTLSCID	# and what it needs, which stays
	check "no rule, no module" wait_for 10 goes
	one_by_one "$(beginning insmod none.ko)" module_whole insmod "/lib/modules/$(uname -r)/extra/xt_DTLSCID.ko"
	is "the module loaded, each of $tries allocations fails: it is there or is not" $wrong 0
	check "and $failed times it was refused" test $failed -gt 20
	modprobe xt_DTLSCID
}

# One in five of those for which nobody can wait fails.
scarce() { echo 20 > $slab/probability; "$@"; echo 0 > $slab/probability; }

# So many clients, a process each, as one dies when there is none for its own route.
clients() {
	for p in $(seq 41000 $((40999 + $1))); do
		on client udp send -s "$client" -p "$p" "$vip" "$port" "$2"
		on node1 udp send -s "$(node 1)" -p "$port" "$client" $((p + 1000)) "$no_cid"
	done 2> failed
	on client udp send -n 50 -g 41 -s "$client" -p 40999 "$vip" "$port" "$(cid12 1)$(cid12 2)" 2> failed
}

packets_scarce() {
	name=packets$f
	replace "$name" "$(first_nodes 1)" --node "2=$(node 2),weight=0"
	on client udp send -s "$client" -p 40000 "$vip" "$port" "$(cid12 1)"
	scarce clients 150 "$(cid12 1)"
	check "IPv$f: packets, of whose allocations one in five fails: conntrack lost some" \
		test "$(conntrack -S | grep -o ' drop=[0-9]*' | tr -dc '0-9')" -gt 0
	check "IPv$f: and left some: $(zones | wc -l)" test "$(zones | wc -l)" -gt 20
	is "IPv$f: each of which goes to its node" \
		"$(zones | grep -v ' status=\([a-z-]*,\)*dst-nat ')" ""
	serve node1 tally 11 "$(node 1)" "$port"
	before=$(arrived node1)
	on client forge udp -n 150 -p 150 "$client" 41000 "$vip" "$port" "$(cid12 1)"
	check "IPv$f: when there is memory again, all clients come through" \
		wait_for 10 arrived_since 150 node1
	serve_no_more
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

check "the kernel has failslab" test -d $slab || finish
echo N > $slab/ignore-gfp-wait
echo 0 > $slab/verbose
echo -1 > $slab/times
topology 3
for f in 4 6; do
	family $f
	serve_names 3
	rules
	names
	[ $f = 6 ] || proc # which knows no family
	serve_no_more
done
echo Y > $slab/ignore-gfp-wait
for f in 4 6; do
	family $f
	packets_scarce
done
echo N > $slab/ignore-gfp-wait
modules
topology_down
finish
