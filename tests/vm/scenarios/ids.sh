#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The node id is read from 1.2 and 1.3 records, first or later in the datagram,
# and of the rules for all ids only the right ones count.
. lib.sh

port=5684
cke=16fefd0000000000000002000410000000
ccs=14fefd0000000000000003000101
ack=1afefd000000000000000100020000
body=000102030405060708090a0b0c0d0e0f
rest=2345cd67 # of the CID, behind the first two bytes

# record VERSION CID
record() {
	case $1 in
	1.2) echo "19fefd0001000000000001${2}0010$body" ;;
	1.3) echo "3f${2}00010010$body" ;;
	esac
}

# What stands before the record that carries the CID.
before() {
	case $1-$2 in
	*-first) ;;
	1.2-later) echo "$cke$ccs" ;;
	1.3-later) echo "$ack" ;;
	esac
}

rule() {
	text=$1
	shift
	echo "-A PREROUTING -p udp --dport $port -m dtlscid $* -m comment --comment $text"
}

# The one rule for a datagram that carries the id; those for all the others must
# not count it, with and without --cid-length.
rules() {
	echo '*raw'
	for id in 0 1 2 255; do
		rule "id$id" --node-id $id
		rule "checked$id" --node-id $id --cid-length 6
	done
	rule other ! --node-id 0:2,255
	for id in 1 258 65535; do
		rule "wide$id" --node-id $id --id-length 2
	done
	rule inner1 --node-id 1 --id-offset 1
	rule v1.2 --dtls-version 1.2
	rule v1.3 --dtls-version 1.3
	rule prefix --cid 0102/15
	echo "-A PREROUTING -p udp --dport $port -m comment --comment seen"
	echo COMMIT
}

# expect DESCRIPTION DATAGRAM RULES...
expect() {
	what=$1 datagram=$2
	shift 2
	is "$what" "$(sent 1 udp send "$vip" $port "$datagram")" "$(echo "$* seen" | xargs)"
}

ids() {
	expect "$1: id 0" "$2$(record "$3" "0000$rest")" id0 checked0 "v$3"
	expect "$1: id 1" "$2$(record "$3" "0102$rest")" id1 checked1 wide258 "v$3" prefix
	expect "$1: id 2" "$2$(record "$3" "0200$rest")" id2 checked2 "v$3"
	expect "$1: id 255" "$2$(record "$3" "ffff$rest")" id255 checked255 wide65535 "v$3"
	expect "$1: id 3" "$2$(record "$3" "0300$rest")" other "v$3"
	expect "$1: 2-byte id 1" "$2$(record "$3" "0001$rest")" id0 checked0 wide1 inner1 "v$3"
}

topology 1
for f in 4 6; do
	family $f
	rules > table
	check "IPv$f: rules" "$tables-restore" table
	for version in 1.2 1.3; do
		for place in first later; do
			ids "IPv$f, DTLS $version, $place record" "$(before $version $place)" $version
		done
	done
	expect "IPv$f: no CID" "$cke$ccs"
	"$tables" -t raw -F
done
topology_down
finish
