#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j LBSP: servers' states, sessions that go on, names, and what is written to /proc.
. lib.sh

c=2001:db8:c::

tell() { echo "$*" > /proc/net/xt_lbsp/lbsp; }

# field SERVER NAME
field() { sed -n "s/^server=$(node "$1") .*$2=\([^ ]*\).*/\1/p" /proc/net/xt_lbsp/lbsp; }

# replace OPTION...: the rule in place of all others.
replace() {
	printf '%s\n' '*nat' '-F PREROUTING' "-A PREROUTING -d $vip -j LBSP $*" COMMIT |
		ip6tables-restore -n
}

# asked FIRST LAST OPTION...: the servers of so many clients, each from a port of its own.
asked() {
	first=$1 last=$2
	shift 2
	for i in $(seq "$first" "$last"); do
		server_of "$@" -1 "$c$i" "$vip" 80
	done
}

of() { grep -c "^server$1$"; }

# A TCP session that is open while something happens: begin SERVER; then end, and $answered
# is who has.
begin() {
	mkfifo session
	on client lbsp ask -t -w -1 $c -2 "$(node "$1")" "$vip" 80 < session > answered &
	session=$!
	exec 9> session
	wait_for 10 established
}
established() { conntrack -L -p tcp 2> listed | grep -q ESTABLISHED; }
end() {
	exec 9>&-
	wait $session
	rm session
	answered=$(cut -d ' ' -f 1 answered)
}

draining() {
	replace "$(servers 2)"
	is "drain: shares at first" "$(asked 1 40 | sort -u | xargs)" "server1 server2"
	on client lbsp ask -p 5000 -1 $c -2 "$(node 2)" "$vip" 80 > before
	begin 2
	tell drain "$(node 2)"
	is "drain: its state" "$(field 1 state) $(field 2 state)" "up drain"
	news lbsp > counted
	is "drain: no new client is its" "$(asked 1 40 | sort -u | xargs)" server1
	is "drain: one that it has is" "$(server_of -1 $c -2 "$(node 2)" "$vip" 80)" server2
	is "drain: so it is counted" "$(news lbsp)" "packets=41 new=40 drained=1"
	is "drain: a flow goes on" "$(server_of -p 5000 -1 $c "$vip" 80)" server2
	is "drain: no new one" "$(news lbsp)" ""
	end
	is "drain: a TCP session goes on" "$answered" server2
	tell up "$(node 2)"
	is "up: new clients again" "$(asked 1 40 | sort -u | xargs)" "server1 server2"
	replace "$(servers 1) --server $(node 2),weight=0"
	news lbsp > counted
	is "weight 0: no new client is its" "$(asked 1 20 | sort -u | xargs)" server1
	is "weight 0: one that it has is" "$(server_of -1 $c -2 "$(node 2)" "$vip" 80)" server2
	is "weight 0: as drained" "$(news lbsp)" "packets=21 new=20 drained=1"
}

going_down() {
	replace "$(servers 2)"
	on client lbsp ask -p 5001 -1 $c -2 "$(node 2)" "$vip" 80 > before
	on client lbsp ask -p 5002 -1 $c -2 "$(node 1)" "$vip" 80 > before
	news lbsp > counted
	tell down "$(node 2)"
	is "down: its flows are gone, the other's are not" \
		"$(field 1 live-flows | grep -c '^[1-9]') $(field 2 live-flows)" "1 0"
	is "down: the flow's next packet has another server" \
		"$(server_of -p 5001 -1 $c -2 "$(node 2)" "$vip" 80)" server1
	is "down: that is stale" "$(news lbsp)" "packets=1 stale=1"
	is "down: no new client" "$(asked 1 20 | sort -u | xargs)" server1
	tell drain "$(node 1)"
	news lbsp > counted
	watch_own
	is "none is up: silence" "$(server_of -1 $c "$vip" 80)" silence
	is "none is up: stale ones too" "$(server_of -1 $c -2 "$(node 2)" "$vip" 80)" silence
	is "none is up: counted, and dropped" "$(news lbsp), $(own)" "packets=2 no-server=2, 0"
	is "none is up: one that is drained serves its own" \
		"$(server_of -1 $c -2 "$(node 1)" "$vip" 80)" server1
	tell up "$(node 1)"
	tell up "$(node 2)"
	begin 2
	tell flush "$(node 2)"
	is "flush: no flows" "$(field 2 live-flows)" 0
	end
	is "flush: the session's next packet brings it back" "$answered" server2
}

typed() {
	replace "$(servers 1) --server $(node 2),drain"
	is "a rule's state" "$(field 2 state)" drain
	tell up "$(node 2)"
	replace "$(servers 1) --server $(node 2),drain"
	is "the same rule again undoes nothing" "$(field 2 state)" up
	replace "$(servers 2)"
	replace "$(servers 1) --server $(node 2),drain"
	is "nor does one that says nothing" "$(field 2 state)" up
	on client lbsp ask -p 5003 -1 $c -2 "$(node 2)" "$vip" 80 > before
	replace "$(servers 1) --server $(node 2),down"
	is "another state does, and down deletes flows" \
		"$(field 2 state) $(field 2 live-flows)" "down 0"
	tell up "$(node 2)"
}

# refused COMMAND...: what is written is not taken.
refused() { ! tell "$*" 2> said; }

commands() {
	replace "$(servers 2)"
	for command in drain "drain $(node 3)" "drain 192.0.2.11" "drain $(node 1) x" "up" \
		"sleep $(node 1)" "flush" "zero $(node 1)" "" "drain $(node 1)/128" \
		"drain 2001:db8:2:0:0:0:0:0:11"; do
		check "refused: \"$command\"" refused "$command"
	done
	is "they changed nothing" "$(field 1 state) $(field 2 state)" "up up"
	tell zero
	is "zero: all counters" "$(counts lbsp | grep -v '=0$')" ""
	is "zero: those of servers" "$(field 1 new-flows) $(field 2 new-flows)" "0 0"
	server_of -1 $c -2 "$(node 2)" "$vip" 80 > before
	is "a flow is counted with its server" "$(field 1 new-flows) $(field 2 new-flows)" "0 1"
}

# Two rules of one name: each its own pool, one state, one key.
pools() {
	replace "--server $(node 1)"
	ip6tables -t nat -A PREROUTING -d "$vip2" -j LBSP --server "$(node 2)" --server "$(node 3)"
	is "pools: the first" "$(asked 1 20 | sort -u | xargs)" server1
	for i in $(seq 20); do server_of -1 "$c$i" "$vip2" 80; done | sort -u > servers
	is "pools: the second" "$(xargs < servers)" "server2 server3"
	news lbsp > counted
	is "pools: the other's server is a stranger" \
		"$(server_of -1 $c -2 "$(node 3)" "$vip" 80), $(news lbsp)" "server1, packets=1 foreign=1"
	check "pools: another key is refused" \
		fails ip6tables -t nat -A PREROUTING -j LBSP --server "$(node 1)" --hash-key "$(printf %032d 1)"
	is "pools: and why" "$(dmesg | sed -n 's/.*] //; $p')" \
		"xt_LBSP: target: --hash-key differs from that of the other rules of --name lbsp"
	is "pools: two rules" "$(grep -o 'rules=.*' /proc/net/xt_lbsp/lbsp | cut -d ' ' -f 1)" rules=2
}
fails() { ! "$@" 2> said; }

# left PORT: seconds that the UDP flow from there has left.
left() { flows -6 | sed -n "s/.* timeout=\([0-9]*\) .* orig=[^ ]* $1 .*/\1/p"; }

# about WHAT SECONDS WANT: no more, and not 5 less.
about() { check "$1: $3 s, has $2" test "$2" -le "$3" -a "$2" -gt $(($3 - 5)); }

timeouts() {
	echo 77 > /proc/sys/net/netfilter/nf_conntrack_udp_timeout
	replace "$(servers 2)"
	on client lbsp flood -p 6000 -1 $c -2 "$(node 3)" 1 "$vip" 81
	about "as the sysctl says" "$(left 6000)" 77
	replace "$(servers 2) --timeout 50,20"
	on client lbsp flood -p 6001 -1 $c -2 "$(node 3)" 1 "$vip" 81
	about "--timeout, not answered" "$(left 6001)" 20
	on client lbsp ask -p 6002 -1 $c "$vip" 80 > before
	sleep 3
	on client lbsp ask -p 6002 -1 $c "$vip" 80 > before
	about "--timeout, answered" "$(left 6002)" 50
	echo 66 > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait
	on client lbsp ask -t -p 6003 -1 $c "$vip" 80 > before
	wait_for 5 closed
	about "TCP as the sysctl says" "$(conntrack -L -p tcp --sport 6003 2> listed |
		awk '{ print $3 }')" 66
	replace "$(servers 2)"
	on client lbsp flood -p 6004 -1 $c -2 "$(node 3)" 1 "$vip" 81
	about "without --timeout again" "$(left 6004)" 77
}
closed() { conntrack -L -p tcp --sport 6003 2> listed | grep -q TIME_WAIT; }

# The client moves, and comes through another proxy.
moving() {
	replace "$(servers 3)"
	for way in "-1 $c" "-1 $c -2 $(node 3)"; do
		# shellcheck disable=SC2086 # words
		for from in "$client" "$client2"; do
			server_of -s "$from" $way "$vip" 80
			server_of -t -s "$from" $way "$vip" 80
		done | sort -u > servers
		is "another address, another proxy: the same server ($way)" "$(wc -l < servers)" 1
	done
}

# A server that no rule has any more keeps its sessions, as with any NAT rule.
removed() {
	replace "$(servers 2)"
	begin 2
	replace "$(servers 1)"
	is "removed: forgotten" "$(grep -c ^server= /proc/net/xt_lbsp/lbsp)" 1
	end
	is "removed: its session goes on" "$answered" server2
}

# A name outlives its rules as long as it has flows.
names() {
	conntrack -F 2> flushed
	replace "$(servers 2)"
	tell drain "$(node 1)"
	begin 2
	asked 1 20 > servers
	rule=$(ip6tables-save -t nat | grep LBSP)
	# shellcheck disable=SC2086 # words
	ip6tables -t nat -D ${rule#-A}
	sleep 3
	is "without rules: the name is there" "$(field 1 state)" drain
	# shellcheck disable=SC2086
	ip6tables -t nat $rule
	is "back: as it was" "$(field 1 state)" drain
	is "back: the same key" "$(asked 1 20 | diff - servers)" ""
	ip6tables -t nat -F
	end
	is "the session goes on" "$answered" server2
	conntrack -F 2> flushed
	wait_for 30 gone || ls /proc/net/xt_lbsp
	is "without rules and flows: gone" "$(ls /proc/net/xt_lbsp)" ""
	replace "$(servers 2)"
	begin 2
	ip6tables -A FORWARD -m conntrack --ctstate ESTABLISHED # somebody else with a use for it
	ip6tables -t nat -F
	wait_for 10 unused
	check "the module can be unloaded" modprobe -r xt_LBSP
	end
	is "and the session goes on" "$answered" server2
}
gone() { [ -z "$(ls /proc/net/xt_lbsp)" ]; }
unused() { [ "$(awk '$1 == "xt_LBSP" { print $3 }' /proc/modules)" = 0 ]; }

family 6
vip2=2001:db8:1::2
topology 3
lbsp_counters
ip address add $vip2/64 dev client nodad
ip -n client neigh add $vip2 lladdr 02:00:00:00:01:01 dev eth0
serve_options 3 80
modprobe nf_conntrack
echo 300 > /proc/sys/net/netfilter/nf_conntrack_udp_timeout # emulated machines are slow
draining
going_down
typed
commands
pools
timeouts
moving
removed
names
finish
