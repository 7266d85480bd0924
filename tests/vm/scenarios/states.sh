#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: node states, flows and counters, by what is written to /proc.
. lib.sh

port=5684

load() { replace "$name" "$@"; }

three() { echo "--node 1=$(node 1) --node 2=$(node 2)$1 --node 3=$(node 3)"; }

# tell COMMAND: to the name.
tell() { echo "$*" > "/proc/net/xt_dtlscid/$name"; }

# field NODE NAME
field() { sed -n "s/^node=$1 .* $2=\([^ ]*\).*/\1/p" "/proc/net/xt_dtlscid/$name"; }

states() { for k in 1 2 3; do field $k state; done | xargs; }

serve_all() {
	for k in 1 2 3; do serve node$k "$@" "$(node $k)" $port; done
}

got() { [ "$(cat node1 node2 node3 | wc -l)" -ge "$1" ]; }

# sent COUNT HEX: from as many clients; how many each node got of them.
sent() {
	serve_all sink
	on client forge udp -n "$1" -p "$1" "$client" 41000 "$vip" $port "$2"
	wait_for 30 judged "$name" "$1"
	wait_for 5 got "$1"
	for k in 1 2 3; do wc -l < node$k; done | xargs
	serve_no_more
}

# of ZONE [PORT]: the flows there, to a port of the service.
of() { zones | grep -c "^zone=$1 .* orig=[^ ]* [0-9]* $vip ${2:-$port} "; }

# One flow to each node, and somebody else's in the zone of node 2.
flows_of_all() {
	on client udp send -s "$client" -p 42000 "$vip" $port "$(cid12 1)" "$(cid12 2)" "$(cid12 3)"
	on client udp send -s "$client" -p 42000 "$vip" 7000 00
	wait_for 10 all_there
}

all_there() { [ "$(there)" = "1 1 1, 1" ]; }

there() { echo "$(of 1001) $(of 1002) $(of 1003), $(of 1002 7000)"; }

commands() {
	name=commands$f
	load "$(three)"
	is "IPv$f: at first" "$(states)" "up up up"
	flows_of_all
	tell drain 2
	is "IPv$f: drain 2" "$(states), $(there)" "up drain up, 1 1 1, 1"
	news $name > counted
	is "IPv$f: drain 2: its CIDs are served" "$(sent 20 "$(cid12 2)")" "0 20 0"
	is "IPv$f: drain 2: no handshake is its" "$(sent 200 "$client_hello" | cut -d ' ' -f 2)" 0
	conntrack -D -f "ipv$f" -s "$client" > deleted 2>&1
	flows_of_all
	tell down 2
	is "IPv$f: down 2: its flows are gone at once, nobody else's" "$(states), $(there)" "up down up, 1 0 1, 1"
	news $name > counted
	on client udp send -s "$client" -p 42000 "$vip" $port "$(cid12 2)"
	wait_for 10 judged $name 1
	is "IPv$f: down 2: its CIDs are not" "$(news $name)" "datagrams=1 node-down=1"
	tell up 0x2
	is "IPv$f: up 0x2" "$(states)" "up up up"
	flows_of_all
	tell flush 2
	is "IPv$f: flush 2" "$(states), $(there)" "up up up, 1 0 1, 1"
}

other_there() { [ "$(of 1003)" = 1 ]; }

# What a rule says holds when it is news; what was written since is not undone.
typed() {
	name=typed$f
	load "$(three ,drain)"
	is "IPv$f: typed drain" "$(states)" "up drain up"
	tell up 2
	load "$(three ,drain)"
	is "IPv$f: up, and the same rule again" "$(states)" "up up up"
	load "$(three ,down)"
	is "IPv$f: typed down" "$(states)" "up down up"
	tell drain 1
	load "$(three) --timeout 100,100"
	is "IPv$f: drain 1, and a rule that says nothing" "$(states)" "drain down up"
	# The name lives on by its other flow.
	tell up 2
	on client udp send -s "$client" -p 42000 "$vip" $port "$(cid12 2)" "$(cid12 3)"
	wait_for 10 other_there
	printf '*raw\n-F PREROUTING\nCOMMIT\n' | "$tables-restore" -n
	tell down 2
	is "IPv$f: down 2 while there is no rule: its flow is gone" "$(of 1002)" 0
	load "$(three)"
	is "IPv$f: down 2 while there is no rule: and a rule again" "$(states)" "drain down up"
}

counters() {
	name=counters$f
	load "$(three)"
	is "IPv$f: no age yet" "$(field 1 cid-age) $(field 1 handshake-age)" "- -"
	is "IPv$f: 10 datagrams" "$(sent 10 "$(cid12 1)")" "10 0 0"
	flows=$(zones | wc -l)
	tell zero
	is "IPv$f: zero: all counters" "$(counts $name | grep -v '=0$')$(field 1 datagrams) $(field 1 new-flows)" "0 0"
	is "IPv$f: zero: the flows stay" "$(field 1 live-flows), $(zones | wc -l)" "10, $flows"
	rm counts.$name
	is "IPv$f: 7 datagrams" "$(sent 7 "$(cid12 1)")" "7 0 0"
	is "IPv$f: are counted anew" "$(news $name), $(field 1 datagrams)" "datagrams=7 cid12=7, 7"
	ip netns exec client forge udp -n 20000 -p 20000 "$client2" 20000 "$vip" $port "$no_cid" &
	load "$(three) --max-flows 1"
	while kill -0 $! 2> ended; do
		tell zero
		cat "/proc/net/xt_dtlscid/$name"
	done > shown
	is "IPv$f: zero while counts are taken back: none is below 0" "$(grep -c '=[0-9]\{12\}' shown)" 0
	load "$(three)"
	conntrack -F 2> flushed
	rm -f "counts.$name"
	tell zero
	sleep 3
	on client udp send -s "$client" -p 42000 "$vip" $port "$client_hello" "$(cid13 2)"
	wait_for 10 judged $name 2
	check "IPv$f: node 1's last CID is of some time ago: $(field 1 cid-age)" test "$(field 1 cid-age)" -ge 2
	check "IPv$f: node 2's is not: $(field 2 cid-age)" test "$(field 2 cid-age)" -le 2
	is "IPv$f: the handshake was with one" \
		"$(for k in 1 2 3; do field $k handshake-age; done | grep -vc -)" 1
}

# refused COMMAND WANT
refused() {
	printf '%s' "$1" | dd of="/proc/net/xt_dtlscid/$name" bs=4096 2> err
	is "IPv$f: '$(echo "$1" | cut -c 1-30)' is refused" "$(sed -n 's/^dd: .*: //p' err)" "$2"
}

errors() {
	name=errors$f
	load "$(three)"
	for text in drain 'drain ' 'drain x' 'drain 1 2' 'drain 1x' 'drain -1' 'drain +1' 'drain 4294967296' 'zero 1' \
		'up1' 'Up 1' 'stop 1' ' ' 'drain 1
down 1' "drain $(printf '%060d' 1)"; do
		refused "$text" "Invalid argument"
	done
	refused 'drain 4' "No such file or directory"
	refused 'flush 256' "No such file or directory"
	is "IPv$f: nothing has changed" "$(states)" "up up up"
	for text in 'drain 1' ' drain	1 ' 'drain 01'; do
		tell up 1
		tell "$text"
		is "IPv$f: '$text'" "$(states)" "drain up up"
	done
}

flap() {
	for command in drain down up flush; do tell "$command" 3; done
}

# flapping TIMES: node 3's state and flows, while the other nodes have traffic.
flapping() {
	name=flapping$f
	load "$(three)"
	serve_all tally 11
	before=$(arrived node1 node2)
	while_sending "$1" flap "$(cid12 1)" "$(cid12 2)"
	wait_for 30 arrived_since $((2 * each)) node1 node2
	serve_no_more
	is "IPv$f: node 3 drained, down, up and flushed, $times times: others lose nothing" \
		"$(cat node1 node2)" "$(printf "$client 42000 %s $each\n" 1 2)"
}

sysctl -q -w net.core.rmem_default=64000000 net.core.netdev_max_backlog=10000
topology 3
for f in 4 6; do
	family $f
	ahead="-A PREROUTING -d $vip -p udp --dport 7000 -j CT --zone-orig 1002"
	commands
	typed
	counters
	errors
	times=25
	! at_length $f || times=250
	flapping $times
	"$tables" -t raw -F
	conntrack -F 2> flushed
done
topology_down
finish
