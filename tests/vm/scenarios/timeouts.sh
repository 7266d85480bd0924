#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID --timeout: how long its flows live, and that no other flow is concerned.
. lib.sh

port=5684
plain=5999

hundredths() { awk '{ print int($1 * 100) }' /proc/uptime; }

send() { on client udp send -s "$client" -p 40000 "$vip" "$1" "$(cid12 1)"; }

ask() { on client udp ask -s "$client" -p 40000 -t 10000 "$vip" "$1" "$(cid12 1)" > answer; }

# reply PORT: a datagram of the node, unasked; its socket is free when no udp serves.
reply() { on node1 udp send -s "$(node 1)" -p "$1" "$client" 40000 "$no_cid"; }

# left ZONE: what a flow there has left, in seconds.
left() { flows "-$f" -z "$1:$1" | sed 's/.* timeout=\([0-9]*\) .*/\1/'; }

gone() { [ -z "$(left 1001)" ]; }

# at_most SECONDS ZONE
at_most() { [ "$(left "$2")" -le "$1" ]; }

# fresh DESCRIPTION SECONDS [ZONE]: that a flow has, or a little less.
fresh() {
	now=$(left "${3:-1001}")
	check "IPv$f: $1: $2 s, has $now" test "$now" -gt $(($2 - 15)) -a "$now" -le "$2"
}

# renews DESCRIPTION COMMAND...: a flow of 300 s has more left after it.
renews() {
	what=$1
	shift
	wait_for 30 at_most 297 1001
	was=$(left 1001)
	"$@"
	now=$(left 1001)
	check "IPv$f: $what renews it: $was s, then $now" test "$now" -gt "$was"
}

# until_stream PORT ZONE: ask until the flow is old enough for the kernel.
until_stream() {
	until flows "-$f" -z "$2:$2" | grep -q assured; do ask "$1"; done
}

# Long ones can be read.
values() {
	balance long$f --node 1="$(node 1)" --timeout 300,100
	"$tables" -t nat -A PREROUTING -d "$vip" -p udp --dport $plain -j DNAT --to-destination "$(node 1)"
	for p in $port $plain; do send "$p"; done
	fresh "a flow's first datagram" 100
	fresh "plain DNAT has the kernel's own" 30 0
	serve node1 echo node1 "$(node 1)" $port
	until_stream $port 1001
	serve_no_more
	fresh "a datagram later than 2 s, answered" 300
	renews "a datagram of the node" reply $port
	renews "a datagram of the client" send $port
	balance long$f --node 1="$(node 1)" --timeout 600,200
	send $port
	fresh "a newer rule's time, for a flow that was there" 600
	serve node1 echo node1 "$(node 1)" $plain
	until_stream $plain 0
	serve_no_more
	fresh "plain DNAT, answered" 120 0
	"$tables" -t nat -F
	"$tables" -t raw -F
	conntrack -F 2> flushed
}

# lives DESCRIPTION FROM TO COMMAND...: so many hundredths of a second from its last
# datagram on.
lives() {
	what=$1 from=$2 to=$3 start=$(hundredths)
	shift 3
	"$@"
	wait_for 30 gone
	took=$(($(hundredths) - start))
	check "IPv$f: $what: $took/100 s" test $took -ge "$from" -a $took -lt "$to"
}

new_flows() { sed -n "s/^node=1 .* new-flows=\([0-9]*\) .*/\1/p" /proc/net/xt_dtlscid/short$f; }

# busy LIMIT HUNDREDTHS COMMAND...: it again and again, for so long.  Fails when the
# machine paused for as long as a flow lives.
busy() {
	limit=$1 last=$(hundredths) end=$(($(hundredths) + $2))
	shift 2
	while [ "$(hundredths)" -lt $end ]; do
		"$@"
		now=$(hundredths)
		[ $((now - last)) -lt "$limit" ] || return 1
		last=$now
	done
}

# stays DESCRIPTION LIMIT HUNDREDTHS COMMAND...: with it, a flow lives on and is the same.
stays() {
	what=$1
	shift
	for _ in 1 2 3 4 5; do
		flows=$(new_flows)
		busy "$@" || continue
		[ "$(new_flows)" -eq "$flows" ] || break
		! gone && ok "IPv$f: $what" && return
	done
	not_ok "IPv$f: $what" "$flows flows, then $(new_flows)"
}

# Short ones can be waited for.
expiry() {
	balance short$f --node 1="$(node 1)" --timeout 3,1
	lives "an unanswered flow, for 1 s" 100 300 send $port
	send $port
	stays "datagrams of the client keep it alive" 100 150 send $port
	wait_for 30 gone
	serve node1 echo node1 "$(node 1)" $port
	lives "an answered flow of less than 2 s, for 1 s" 100 300 ask $port
	until_stream $port 1001
	lives "an answered flow of over 2 s, for 3 s" 300 1000 ask $port
	until_stream $port 1001
	serve_no_more
	stays "datagrams of the node keep it alive" 300 350 reply $port
	stays "and those of the client" 300 350 send $port
	"$tables" -t raw -F
}

modprobe nf_conntrack
sysctl net.netfilter > before
topology 1
for f in 4 6; do
	family $f
	values
	expiry
done
sysctl net.netfilter | diff before - > changed
is "no sysctl has changed" "$(grep -v 'nf_conntrack_count' changed | grep '^[<>]')" ""
topology_down
finish
