#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Rules with more than one test, and the edges of each: all tests must hold, an
# inverted test of the CID asks for a CID all the same.
. lib.sh

port=5684
body=000102030405060708090a0b0c0d0e0f
cid1=19fefd000100000000000101ab2345cd670010$body
cid1_13=3f01ab2345cd6700010010$body
hello=16fefd0000000000000000000101
app=17fefd00010000000000010010$body
malformed=19fefd000100000000000101ab2345cd670011$body
mixed=${cid1}19fefd000100000000000202ab2345cd670010$body

# text, options
rules() {
	cat <<-END
	both      --node-id 1 --dtls-version 1.2
	both-13   --node-id 1 --dtls-version 1.3
	cid-kind  --node-id 1 --record cid
	hello-too --node-id 1 --record client-hello
	prefix    --cid 01ab
	prefix-15 --cid 01aa/15
	near-15   --cid 01a8/15
	near-1    --cid 81/1
	long      --cid 01ab2345cd670010${body}5858
	checked   --cid 01ab2345cd67 --cid-length 6
	not-1     ! --node-id 1
	not-2     ! --node-id 2
	not-01    ! --cid 01
	not-02    ! --cid 02
	not-12    ! --dtls-version 1.2
	not-13    ! --dtls-version 1.3
	not-hello ! --record client-hello
	not-both  ! --node-id 2 ! --dtls-version 1.3
	mixed     --cid-length 6 --record mixed
	mixed-1   --cid-length 6 --node-id 1
	mixed-2   --cid-length 6 --node-id 2
	END
}

add_rules() {
	rules | while read -r text options; do
		echo "-A PREROUTING -p udp --dport $port -m dtlscid $options -m comment --comment $text"
	done
	echo "-A PREROUTING -s $client -m comment --comment seen"
}

# expect DESCRIPTION RULES COMMAND...
expect() {
	what=$1 rules=$2
	shift 2
	is "IPv$f: $what" "$(sent 1 udp send "$@")" "$(echo "$rules seen" | xargs)"
}

topology 1
for f in 4 6; do
	family $f
	{ echo '*raw'; add_rules; echo COMMIT; } > table
	check "IPv$f: rules" "$tables-restore" table
	expect 'a CID in DTLS 1.2' \
		'both cid-kind prefix prefix-15 checked not-2 not-02 not-13 not-hello not-both mixed-1' \
		"$vip" $port "$cid1"
	expect 'a CID in DTLS 1.3' \
		'both-13 cid-kind prefix prefix-15 checked not-2 not-02 not-12 not-hello mixed-1' \
		"$vip" $port "$cid1_13"
	expect 'a ClientHello: no test of the CID holds, inverted or not' \
		'' "$vip" $port "$hello"
	expect 'a record without a CID' 'not-hello' "$vip" $port "$app"
	expect 'a ClientHello and a CID' \
		'both cid-kind hello-too prefix prefix-15 checked not-2 not-02 not-13 not-both mixed-1' \
		"$vip" $port "$hello$cid1"
	expect 'malformed, where lengths are checked' \
		'both cid-kind prefix prefix-15 not-2 not-02 not-13 not-hello not-both' \
		"$vip" $port "$malformed"
	expect 'mixed: the first CID counts' \
		'both cid-kind prefix prefix-15 checked not-2 not-02 not-13 not-hello not-both mixed mixed-1' \
		"$vip" $port "$mixed"
	expect 'bytes behind the datagram are not its CID' \
		'both cid-kind prefix prefix-15 checked not-2 not-02 not-13 not-hello not-both mixed-1' \
		-l 43 "$vip" $port "${cid1}5858"
	"$tables" -t raw -F
done
topology_down
finish
