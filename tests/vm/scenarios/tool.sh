#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# tools/dtlscid: the states it sets are the kernel's; what it saves is restored, once or
# twice, with its states; what the kernel's files say it prints.  What it makes of files in
# all detail tests/tool tests, without a kernel, and its check does check.sh.
. lib.sh

mkdir bin
cp dtlscid bin/
chmod +x bin/dtlscid
PATH=$PWD/bin:$PATH

port=5684 client_port=40000

# ask DATAGRAM: who answers it.
ask() {
	client_port=$((client_port + 1))
	answer=$(on client udp ask -s "$client" -p $client_port -t "${2:-5000}" "$vip" $port "$1")
	answer=${answer%% *}
}

# states_of NAME: of its nodes in the family, in the order of their ids.
states_of() { dtlscid status "$1" | awk -v prefix="$nodes" 'index($2, prefix) == 1 { print $4 }' | xargs; }

states() { states_of "$name"; }

# column KEY: of node 2, in the family.
column() {
	dtlscid status "$name" | awk -v key="$1" -v prefix="$nodes" \
		'$1 == "node" { for (i = 1; i <= NF; i++) if ($i == key) n = i }
		$1 == 2 && index($2, prefix) == 1 { print $n }'
}

set_states() {
	name=dtlscid
	balance $name --node 1="$(node 1)" --node 2="$(node 2)" --node 3="$(node 1)"
	is "IPv$f: at first" "$(states)" "up up up"
	ask "$(cid12 2)"
	is "IPv$f: node 2 is asked" "$answer" node2
	is "IPv$f: and has datagrams, a flow, an age" \
		"$(column datagrams) $(column live-flows) $(column cid-age | grep -c '^[0-9]*$')" "1 1 1"
	dtlscid drain 1 3
	is "IPv$f: nodes 1 and 3 drained" "$(states)" "drain up drain"
	ask "$(cid12 1)"
	is "IPv$f: drained, CIDs are served" "$answer" node1
	dtlscid flush 2
	is "IPv$f: flows of node 2 flushed" "$(column state) $(column live-flows)" "up 0"
	dtlscid down 2
	ask "$(cid12 2)" 300
	is "IPv$f: node 2 is down" "$(states) $answer" "drain down drain "
	dtlscid up 1 2 3
	ask "$(cid12 2)"
	is "IPv$f: all up again" "$(states) $answer" "up up up node2"
	dtlscid zero
	is "IPv$f: zero" "$(counts $name | head -n 1) $(column datagrams) $(column new-flows)" "datagrams=0 0 0"
	"$tables" -t raw -F
}

# No other name has these.
of_a_name() {
	name=a\'b\"\\\$c$f
	balance "$name" --node 2="$(node 2)"
	balance "other$f" --node 2="$(node 2)"
	dtlscid -n "$name" drain 2
	is "IPv$f: an odd name" "$(states)" drain
	dtlscid drain 2 -n "other$f"
	dtlscid up 2 -n "$name"
	is "IPv$f: and another one" "$(states) $(states_of "other$f")" "up drain"
	is "IPv$f: a node that is not there" "$(dtlscid -n "other$f" down 9 2>&1; echo $?)" \
		"dtlscid: down: no node 9 under name \"other$f\"; there are: 2
1"
	is "IPv$f: metrics of both" "$(dtlscid metrics | grep '^dtlscid_node_state{' | grep -v 'name="dtlscid"' |
		sed -n 's/.*,state="\(.*\)"} 1$/\1/p' | xargs)" "up drain"
	is "IPv$f: facts in JSON" "$(dtlscid -n "other$f" status --json | tr -d ' "{}' | grep -o 'datagrams:0,reasons:.*' | tr , '\n' | grep -c :0)" 14
	"$tables" -t raw -F
}

# Of the firewall beside us, of which no rule may get lost or come twice.
raw_rules() {
	"$tables-restore" -n <<-END
	*raw
	:own - [0:0]
	:log - [0:0]
	-A PREROUTING -i lo -j ACCEPT
	-A PREROUTING -p udp -m comment --comment "to \\"us\\" -j DTLSCID" -g own
	-A PREROUTING -p tcp -j LOG --log-prefix "late "
	-A OUTPUT -o lo -j ACCEPT
	-A own -d $vip -p udp -m dtlscid ! --node-id 1:4 -j log
	-A own -d $vip -p udp -m udp --dport $port -j DTLSCID --node 1=$(node 1),weight=2,up --node 2=$(node 2),drain --node 3=$(node 1) --node 4=$(node 2) --name $name --cid-length 6
	-A log -m limit --limit 1/sec -j RETURN
	COMMIT
	END
}

table() { "$tables-save" -t raw | sed '/^#/d; s/ \[[0-9]*:[0-9]*\]$//'; }

nobody() { [ ! -e "/proc/net/xt_dtlscid/$name" ]; }

# For iptables-restore the states are part of the rule, so what is saved differs by them.
saved() {
	name=saved$f
	raw_rules
	table > rules
	dtlscid save "-$f" > file
	is "IPv$f: save: chains of others are not touched" "$(grep -c OUTPUT file)" 0
	"$tables-restore" -n < file
	table > again
	check "IPv$f: what is saved is what there is" diff rules again
	dtlscid -n "$name" up 2
	dtlscid -n "$name" down 3
	dtlscid save "-$f" > file
	is "IPv$f: save: present states" "$(grep -o -e '--node [^ ]*' file | xargs)" \
		"--node 1=$(node 1),weight=2,up --node 2=$(node 2) --node 3=$(node 1),down --node 4=$(node 2)"
	loaded_again
	after_restart
	"$tables" -t raw -F
	"$tables" -t raw -X
}

# On a balancer that goes on, the file undoes nothing of which it does not speak.
loaded_again() {
	dtlscid -n "$name" drain 4
	"$tables-restore" -n < file
	is "IPv$f: loaded: states" "$(states)" "up up down drain"
	table > once
	dtlscid -n "$name" up 3
	"$tables-restore" -n < file
	table > twice
	check "IPv$f: loaded twice: no rule is there twice" diff once twice
	is "IPv$f: loaded twice: a later state stays" "$(states)" "up up up drain"
}

# After a restart nothing is known of the name, and the firewall has loaded its own rules.
after_restart() {
	"$tables" -t raw -F
	"$tables" -t raw -X
	wait_for 20 nobody
	for rule in "PREROUTING -i lo -j ACCEPT" "PREROUTING -p tcp -j LOG --log-prefix late" "OUTPUT -o lo -j ACCEPT"; do
		# shellcheck disable=SC2086 # words
		"$tables" -t raw -A $rule
	done
	"$tables-restore" -n < file
	table > restored
	check "IPv$f: after a restart: all rules are there, in their order" diff once restored
	is "IPv$f: after a restart: states" "$(states)" "up up down up"
}

topology 2
for f in 4 6; do
	family $f
	for k in 1 2; do serve node$k echo node$k "$(node $k)" $port; done
	set_states
	of_a_name
	saved
	serve_no_more
done
topology_down
finish
