#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# examples/keepalived.conf: nodes, real DTLS servers, that die, hang and come again, and
# one that is taken out of service; each told to -j DTLSCID by the notify script.
. lib.sh
. ./peers.sh

PATH=/usr/local/sbin:$PATH
port=5684
file=/proc/net/xt_dtlscid/dtlscid

# What the notify script has been asked for is in the file told when it is done.
notify_script() {
	cat <<-END
	#!/bin/sh
	$PWD/examples/dtlscid-notify "\$@"
	echo "\$*" >> $PWD/told
	END
}

installed() {
	mkdir -p /etc/keepalived /usr/local/sbin
	cp -R keepalived/etc/. /etc/keepalived
	notify_script > /usr/local/sbin/dtlscid-notify
	cp examples/dtlscid-rules /usr/local/sbin/
	chmod 755 /usr/local/sbin/*
	: > told
	cp examples/keepalived.conf examples/dtls-check.conf /etc/keepalived/
	[ "$f" = 4 ] || sed -i 's/192\.0\.2\./2001:db8:2::/' /etc/keepalived/keepalived.conf
	chown 0:0 / /usr /usr/local /usr/local/sbin # whoever built this machine
}

start_node() {
	ip netns exec "node$1" ./dtls-peer server --node "$1" --cid-length 6 :: $port > "node$1.log" 2>&1 &
	echo $! > "node$1.pid"
	wait_for 10 listening "node$1" $port
}

stop_node() {
	kill -9 "$(cat "node$1.pid")"
	wait "$(cat "node$1.pid")" 2> ended
}

start_keepalived() {
	LD_LIBRARY_PATH=$PWD/keepalived keepalived/keepalived -n -l -C > keepalived.log 2>&1 &
	keepalived=$!
}

stop_keepalived() {
	kill $keepalived
	wait $keepalived 2> ended
}

state() { sed -n "s/^node=$1 .* state=\([a-z]*\) .*/\1/p" "$file"; }

states() { echo "$(state 1) $(state 2)"; }

in_states() { [ "$(states)" = "$*" ]; }

# expect WHAT SECONDS STATES
expect() {
	wait_for "$2" in_states "$3"
	is "IPv$f: $1" "$(states)" "$3"
}

# The checks sent to node 2, and how often keepalived had something to tell.
checks() { packets "$tables" filter OUTPUT check; }
checked() { [ "$(checks)" -ge "$1" ]; }
news_so_far() { wc -l < told; }
more_than() { [ "$(news_so_far)" -gt "$1" ]; }

# expect_news WHAT NEWS: what keepalived has to tell since the last time.
expect_news() {
	wait_for 10 more_than "$before"
	is "IPv$f: $1: keepalived tells" "$(sed "1,${before}d" told)" "$2"
	before=$(news_so_far)
}

# The node whose state was left from some earlier time is up, the other is not.
beginning() {
	start_node 1
	echo down 1 > $file
	start_keepalived
	expect "keepalived starts: what it finds is said, whatever was before" 20 "up down"
	start_node 2
	expect "node 2 starts" 10 "up up"
}

# gone WHAT: since it gave its last answer.
gone() {
	zero "$tables" filter
	expect "$1: it is down" 10 "up down"
	is "IPv$f: $1: after three checks" "$(checks)" 3
}

failures() {
	stop_node 2
	gone "node 2 dies"
	start_node 2
	expect "node 2 is back" 10 "up up"
	kill -STOP "$(cat node2.pid)"
	gone "node 2 hangs"
	kill -CONT "$(cat node2.pid)"
	expect "node 2 goes on" 10 "up up"
}

calm() {
	before=$(news_so_far)
	zero "$tables" filter
	sleep 20
	check "IPv$f: 20 s with nothing wrong: $(checks) checks" checked 9
	is "IPv$f: 20 s with nothing wrong: nothing to tell" "$(sed "1,${before}d" told)" ""
}

age() { sed -n "s/^node=2 .* cid-age=\([^ ]*\) .*/\1/p" "$file"; }
aged() { [ "$(age)" -ge "$1" ]; }
fresh() { [ "$(age)" -le 1 ]; }

# What a check finds of a node that is drained changes nothing.
drained() {
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 2)"
	echo drain 2 > $file
	check "IPv$f: node 2 drained: its CIDs stay away" wait_for 10 aged 2
	on client udp send -s "$client" -p 40000 "$vip" $port "$(cid12 2)"
	check "IPv$f: node 2 drained: one comes, and is served" fresh
	before=$(news_so_far)
	stop_node 2
	expect_news "node 2 drained and stopped" "down 2"
	is "IPv$f: node 2 drained and stopped: it is drained" "$(states)" "up drain"
	start_node 2
	expect_news "node 2 drained and started" "up 2"
	is "IPv$f: node 2 drained and started: it is drained" "$(states)" "up drain"
	echo up 2 > $file
	is "IPv$f: node 2 up again" "$(states)" "up up"
}

down_by_hand() {
	echo down 2 > $file
	zero "$tables" filter
	wait_for 10 checked 3
	is "IPv$f: node 2 down by hand: it is while it answers" "$(states)" "up down"
	stop_node 2
	expect_news "node 2 down by hand and stopped" "down 2"
	start_node 2
	expect "node 2 down by hand and started: it is up" 10 "up up"
}

# The service that keepalived needs in IPVS has had nothing, though much went by.
bystander() {
	check "IPv$f: IPVS has a service" grep -q '^FWM' /proc/net/ip_vs
	is "IPv$f: IPVS: no packet, no connection" \
		"$(sed -n '3s/ \+/ /gp' /proc/net/ip_vs_stats)" " 0 0 0 0 0"
}

ending() {
	stop_keepalived
	is "IPv$f: keepalived stops: the states stay" "$(states)" "up up"
	is "IPv$f: keepalived stops: nothing is left in IPVS" "$(grep -c '^FWM' /proc/net/ip_vs)" 0
	for k in 1 2; do stop_node $k; done
}

topology 2
for f in 4 6; do
	at_length $f || continue
	family $f
	installed
	dtlscid-rules load examples/rules.v$f
	"$tables" -A OUTPUT -d "$(node 2)" -p udp --dport $port -m dtlscid --record client-hello \
		-m comment --comment check
	beginning
	failures
	calm
	drained
	down_by_hand
	bystander
	ending
	dtlscid-rules unload examples/rules.v$f
	"$tables" -F
done
topology_down
finish
