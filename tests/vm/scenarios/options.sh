#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: what each option is for.  What becomes of datagrams that are not for a
# node is in reasons.sh, --timeout in timeouts.sh, --hash-key in hash.sh.
. lib.sh

port=5684
flight=16fefd000000000000000200041000000014fefd0000000000000003000101
body=101112131415161718191a1b1c1d1e1f

# record12 CID, record13 CID: CIDs of any length.
record12() { echo "19fefd0001000000000001${1}0010$body"; }
record13() { echo "3f${1}00010010$body"; }

# ask DATAGRAM [PORT]: who answers the client, and from where.
ask() { on client udp ask -s "$client" -p "${2:-40000}" -t 10000 "$vip" $port "$1"; }

# answers DESCRIPTION WHO DATAGRAM [PORT]
answers() { is "IPv$f: $1" "$(ask "$3" "${4-}")" "$2 $vip $port"; }

# refuses DESCRIPTION REASON DATAGRAM [PORT]: it is counted so, and leaves no entry.
refuses() {
	news "$name" > counted
	on client udp send -s "$client" -p "${4:-40009}" "$vip" $port "$3"
	wait_for 30 judged "$name" 1
	is "IPv$f: $1" "$(news "$name") $(zones | grep -c " ${4:-40009} ")" "datagrams=1 $2=1 0"
}

# with NAME OPTION...: the rule for the next lines, and none of before.
with() {
	"$tables" -t raw -F
	conntrack -F 2> flushed
	name=$f$1
	shift
	balance "$name" "$@"
}

# as_node K PORT: the node's address with a port.
as_node() {
	case $f in
	4) echo "$(node "$1"):$2" ;;
	6) echo "[$(node "$1")]:$2" ;;
	esac
}

ids() {
	with four --id-length 4 --node 0="$(node 1)" --node 16909060="$(node 2)" --node 4294967295="$(node 3)"
	answers '4-byte id 0' node1 "$(record12 00000000ab)"
	answers '4-byte id 0x01020304' node2 "$(record12 01020304ab)"
	answers '4-byte id 0xffffffff' node3 "$(record13 ffffffffab)"
	refuses 'an id that differs in its last byte' unknown-node "$(record12 00000001ab)"
	refuses 'an id that differs in its first byte' unknown-node "$(record13 02020304ab)"
	with inner --id-offset 2 --id-length 2 --node 258="$(node 1)" --node 513="$(node 2)"
	answers 'a 2-byte id at offset 2' node1 "$(record12 02010102)"
	answers 'another' node2 "$(record13 01020201)"
	with zero --node 0="$(node 1)" --node 255="$(node 2)"
	answers 'id 0' node1 "$(cid12 0)"
	answers 'id 255' node2 "$(cid12 255)"
	is "IPv$f: the zones of ids 0 and 255" "$(zones | cut -d ' ' -f 1 | xargs)" "zone=1000 zone=1255"
}

# A record behind a CID record can be read only with the right length.
lengths() {
	with lengths --node 1="$(node 1)",cid-length=6 --node 2="$(node 2)",cid-length=8
	for record in record12 record13; do
		six=$($record 01ab2345cd67) eight=$($record 02ab2345cd6789ab)
		answers "CIDs of 6 and 8 bytes, $record: 6" node1 "$six"
		answers "CIDs of 6 and 8 bytes, $record: 8" node2 "$eight"
		answers "CIDs of 6 and 8 bytes, $record: twice 8" node2 "$eight$eight"
		answers "CIDs of 6 and 8 bytes, $record: 8 in the last flight" node2 "$flight$eight"
		refuses "CIDs of 6 and 8 bytes, $record: node 1's with 8" malformed "$($record 01ab2345cd6789ab)"
		refuses "CIDs of 6 and 8 bytes, $record: node 2's with 6" malformed "$($record 02ab2345cd67)"
		refuses "CIDs of 6 and 8 bytes, $record: both nodes" mixed "$six$($record 02ab2345cd67)"
	done
	with other --cid-length 6 --node 1="$(node 1)"
	balance "$name" --cid-length 8 --node 2="$(node 2)"
	for record in record12 record13; do
		answers "a node of another rule has that rule's CID length, $record" \
			node2 "$($record 02ab2345cd6789ab)"
		answers "and in the last flight, $record" node2 "$flight$($record 02ab2345cd6789ab)"
	done
	with unknown --node 1="$(node 1)"
	answers 'of a CID of no known length only the id is read' node1 "$(record12 01)ff"
}

ports() {
	with ports --node 1="$(as_node 3 7001)" --node 2="$(as_node 3 7002)"
	serve node3 echo first "$(node 3)" 7001
	serve node3 echo second "$(node 3)" 7002
	answers 'one address, two ports: the first' first "$(cid12 1)"
	answers 'one address, two ports: the second' second "$(cid12 2)"
	is "IPv$f: one address, two ports: two flows" "$(zones | sed 's/ .*reply=/ /; s/ assured//')" \
		"$(printf "zone=100%s $(node 3) 700%s $client 40000\n" 1 1 2 2)"
}

# What another rule sees of a packet's mark, which had other bits before.
marks() {
	"$tables" -t mangle -A PREROUTING -m mark --mark 0x50205 -m comment --comment marked
	with mark --node 1="$(node 1)" --node 2="$(node 2)" --id-mark 0xff00 --id-connmark 0xff0000
	"$tables" -t raw -I PREROUTING -p udp -j MARK --set-mark 0x5f005
	answers 'with --id-mark' node2 "$(cid12 2)"
	is "IPv$f: --id-mark sets its bits only" "$(packets "$tables" mangle PREROUTING marked)" 1
	is "IPv$f: --id-connmark sets the flow's" "$(zones | cut -d ' ' -f 1,2)" "zone=1002 mark=0x20000"
	"$tables" -t mangle -F
}

# The rest by other rules: node 1's mark goes to node 3.
no_dnat() {
	"$tables" -t nat -A PREROUTING -m mark --mark 1/0xff -j DNAT --to-destination "$(node 3)"
	"$tables" -t nat -A PREROUTING -m mark --mark 2/0xff -j DNAT --to-destination "$(node 2)"
	with bridge --node 1="$(node 1)" --node 2="$(node 2)" --no-dnat --id-mark 0xff --timeout 200,200
	answers '--no-dnat: a rule by mark decides' node3 "$(cid12 1)"
	answers '--no-dnat: and for another node' node2 "$(cid12 2)"
	is "IPv$f: --no-dnat: the flows are in the nodes' zones" "$(zones | cut -d ' ' -f 1 | xargs)" "zone=1001 zone=1002"
	is "IPv$f: --no-dnat: with the rule's timeout" "$(flows -$f | grep -c ' timeout=1[89]')" 2
	with dnat --node 1="$(node 1)" --id-mark 0xff
	answers 'without it, no rule has a say' node1 "$(cid12 1)"
	"$tables" -t nat -F
}

# disagrees OPTION...: a rule of a name with the first option other than the name's.
disagrees() {
	lines=$(dmesg | wc -l)
	balance "${f}a" --node 2="$(node 2)" "$@" 2> refused
	check "IPv$f: another $1 under one name is refused" test $? -ne 0
	is "IPv$f: the kernel's log says that it is $1" \
		"$(dmesg | sed "1,${lines}d" | grep -c -e "$1 differs from .* --name ${f}a")" 1
}

# Names share nothing: the same client, the same ids, other zones.
names() {
	with a --zone-base 2000 --node 1="$(node 1)"
	"$tables" -t raw -I PREROUTING -d "$vip" -p udp --dport 5685 -j DTLSCID --name "${f}b" --node 1="$(as_node 2 $port)"
	answers '--zone-base, and another name' node1 "$(cid12 1)"
	is "IPv$f: the flow's zone" "$(zones | cut -d ' ' -f 1)" zone=2001
	is "IPv$f: the other name's rule" \
		"$(on client udp ask -s "$client" -p 40000 -t 10000 "$vip" 5685 "$(cid12 1)")" "node2 $vip 5685"
	is "IPv$f: and its flow's zone" "$(zones | cut -d ' ' -f 1 | xargs)" "zone=1001 zone=2001"
	is "IPv$f: each counts its own" "$(news "${f}a") $(news "${f}b")" "datagrams=1 cid12=1 datagrams=1 cid12=1"
	disagrees --zone-base 1000
	disagrees --hash-key 000102030405060708090a0b0c0d0e0f --zone-base 2000
	refuses 'nothing has changed' unknown-node "$(cid12 2)"
}

# --new drop lets those go on that have a flow, which a rule before has let in.
new() {
	with new --node 1="$(node 1)" --node 2="$(node 2)",weight=0
	answers 'a client without a CID' node1 "$client_hello"
	"$tables" -t raw -F
	balance "$name" --node 1="$(node 1)" --node 2="$(node 2)" --new drop
	answers '--new drop: its flow lives' node1 "$client_hello"
	refuses '--new drop: not that of another client' client-hello "$client_hello"
	answers '--new drop: a CID makes a flow' node2 "$(cid12 2)" 40001
	refuses '--new drop: but not one for what has no CID' no-cid "$no_cid" 40008
}

# hellos: where those of twenty clients go.
hellos() {
	for p in $(seq 41000 41019); do ask "$client_hello" "$p"; done | cut -d ' ' -f 1 | sort -u | xargs
}

states() {
	with up --node 1="$(node 1)" --node 2="$(node 2)"
	is "IPv$f: two nodes that are up share the handshakes" "$(hellos)" "node1 node2"
	for how in drain weight=0; do
		with "$how" --node 1="$(node 1)" --node 2="$(node 2),$how"
		is "IPv$f: $how: handshakes go to the other" "$(hellos)" node1
		answers "$how: CIDs are served" node2 "$(cid12 2)"
	done
	with down --node 1="$(node 1)" --node 2="$(node 2),down"
	is "IPv$f: down: handshakes go to the other" "$(hellos)" node1
	refuses 'down: CIDs are not served' node-down "$(cid12 2)"
	with up --node 1="$(node 1),down" --node 2="$(node 2),down"
	refuses 'all down: nor is what has no CID' node-down "$client_hello"
}

# A state that is typed lasts, until another is; a node that goes down loses its flows.
typed_states() {
	with typed --node 1="$(node 1)" --node 2="$(node 2)"
	answers 'no state typed: up' node2 "$(cid12 2)"
	balance "$name" --node 2="$(node 2),down"
	is "IPv$f: down, in another rule: the node's flows are gone" "$(zones)" ""
	refuses 'down, in another rule' node-down "$(cid12 2)"
	balance "$name" --node 2="$(node 2)"
	refuses 'a rule without a state changes nothing' node-down "$(cid12 2)"
	balance "$name" --node 2="$(node 2),up"
	answers 'up again' node2 "$(cid12 2)"
}

# Other translation goes on: of the client's address, and to a node on the balancer itself.
neighbours() {
	"$tables" -t nat -A POSTROUTING -o nodes -j MASQUERADE
	with beside --node 1="$own" --node 2="$(node 2)"
	serve balancer echo own "$own" $port
	for k in 1 2 1 2; do
		answers "MASQUERADE, and a node on the balancer: node $k" \
			"$(echo "own node2" | cut -d ' ' -f $k)" "$(cid12 $k)"
	done
	is "IPv$f: MASQUERADE: of what goes to the other node only" \
		"$(zones | sed 's/ .*reply=/ /')" \
		"$(printf 'zone=100%s %s\n' 1 "$own $port $client 40000" 2 "$(node 2) $port ${own} 40000")"
	"$tables" -t nat -F
}

# A client on the balancer itself; its own address is that of the service.
own_client() {
	chain=OUTPUT
	with output --node 1="$(node 1)" --node 2="$(node 2)",weight=0
	for datagram in 1:"$(cid12 1)" 2:"$(cid13 2)" 1:"$client_hello" 2:"$flight$(cid12 2)"; do
		is "IPv$f, OUTPUT: a client on the balancer, to node ${datagram%:*}" \
			"$(udp ask -p 40000 -t 10000 "$vip" $port "${datagram#*:}")" \
			"node${datagram%:*} $vip $port"
	done
	is "IPv$f, OUTPUT: its flows" "$(zones | cut -d ' ' -f 1,8-)" \
		"$(for k in 1 2; do echo "zone=100$k reply=$(node $k) $port $vip 40000"; done)"
	is "IPv$f, OUTPUT: each is counted once" "$(news "$name")" "datagrams=4 cid12=2 cid13=1 client-hello=1"
	chain=PREROUTING
}

topology 3
for f in 4 6; do
	family $f
	own=${nodes}1
	for k in 1 2 3; do serve node$k echo node$k "$(node $k)" $port; done
	ids
	lengths
	marks
	no_dnat
	names
	new
	states
	typed_states
	own_client
	ports
	neighbours
	serve_no_more
	"$tables" -t raw -F
done
topology_down
finish
