#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Rule data that no honest plugin sends: the kernel refuses it, and says in its log
# what of it is wrong.
. lib.sh

# Each case: what the log says | bytes written over | options of the rule | the only
# family it is of, if there is one.

# Offsets are those of struct xt_dtlscid_mtinfo_v0.
match_cases() {
	cat <<-END
	flags|4=16|
	flags|4=129|--node-id 1
	flags|5=1|
	flags|5=2|--node-id 1
	flags|1291=1|
	flags|1295=1|
	--id-offset, --id-length or --cid-length|1=0|
	--id-offset, --id-length or --cid-length|1=5|
	--id-offset, --id-length or --cid-length|0=255|
	--id-offset, --id-length or --cid-length|0=6|--cid-length 6
	--id-offset, --id-length or --cid-length|3=1|
	--node-id|9=0|--node-id 1
	--node-id|9=129|--node-id 1
	--node-id|9=255|--node-id 1
	--node-id|9=1|
	--node-id|12=2|--node-id 1
	--node-id|17=1|--node-id 1
	--node-id|20=1|--node-id 1
	--node-id|1035=1|--node-id 1
	--cid|10=0|--cid 01
	--cid|10=8|
	--cid|10=249 11=7|--cid 01
	--cid|11=255|--cid 01
	--cid|10=49|--cid 01 --cid-length 6
	--cid|10=7|--cid 01
	--cid|1037=1|--cid 01
	--cid|1036=1|
	--dtls-version|8=0|--dtls-version 1.2
	--dtls-version|8=1|--dtls-version 1.2
	--dtls-version|8=4|--dtls-version 1.2
	--dtls-version|8=2|
	--record|6=0|--record cid
	--record|7=4|--record cid
	--record|6=1|
	END
}

# fill FIRST LAST VALUE: the bytes of a range, all of that value.
fill() {
	seq -s ' ' "$1" "$2" | sed "s/[0-9]\{1,\}/&=$3/g"
}

# Offsets are those of struct xt_dtlscid_tginfo_v0; its node N is at 116 + 24 * N.
# Rules have two nodes, 1 and 2.
target_cases() {
	cat <<-END
	flags|4=4|
	flags|4=128|
	flags|11=1|
	flags|14=1|
	flags|15=128|
	flags|3188=1|
	flags|3191=128|
	--id-offset, --id-length or --cid-length|1=0|
	--id-offset, --id-length or --cid-length|1=5|
	--id-offset, --id-length or --cid-length|0=255|
	--id-offset, --id-length or --cid-length|0=6|--cid-length 6
	--id-offset, --id-length or --cid-length|3=1|
	--node|5=0|
	--node|5=1|
	--node|5=3|
	--node|5=129|
	--node|5=255|
	--node|116=0 117=0 118=0 119=0 121=0 131=0|
	--node|116=224||4
	--node|116=239||4
	--node|116=255 117=255 118=255 119=255|
	--node|120=1||4
	--node|131=128||4
	--node|116=255 117=2||6
	--node|140=0 141=0 142=0 143=0 145=0 155=0|
	--node|156=1|
	--node|133=1|
	--node|135=128|--id-length 3
	--node|139=1|--id-length 2
	--node|139=5|--id-offset 4 --id-length 2
	--node|164=1|
	--node|179=1|
	--node|180=1|
	--node|184=1|
	--node|186=1|
	--node|187=1|
	--node|3164=1|
	--node|3187=1|
	--node|84=16|
	--node|84=128|
	--node|85=1|
	--node|115=64|
	--new|6=3|
	--new|6=4|
	--new|6=255|
	--unknown|7=2|
	--unknown|7=3|
	--unknown|7=255|
	--malformed|8=2|
	--malformed|8=3|
	--malformed|8=255|
	--mixed|9=1|
	--mixed|9=2|
	--mixed|9=4|
	--not-dtls|10=3|
	--not-dtls|10=4|
	--not-dtls|10=255|
	--zone-base|12=0 13=0|
	--zone-base|12=255 13=255|
	--timeout|16=0|
	--timeout|20=0|
	--timeout|16=129 17=81 18=1|
	--timeout|20=129 21=81 22=1|
	--timeout|19=128|
	--timeout|23=128|
	--max-flows|26=0|
	--max-flows|27=128|
	--id-mark|28=5|
	--id-mark|28=3 31=128|
	--id-mark|28=1|
	--id-mark|31=128|
	--id-connmark|32=5|
	--id-connmark|32=3 35=128|
	--id-connmark|32=1|
	--id-connmark|35=128|
	--hash-key|36=1|
	--hash-key|51=128|
	--hash-key|4=0|--hash-key 00112233445566778899aabbccddeeff
	--name|52=0|
	--name|$(fill 52 58 0)|
	--name|60=97|
	--name|83=97|
	--name|$(fill 59 83 97)|
	--name|52=47|
	--name|58=47|
	--name|52=46 $(fill 53 58 0)|
	--name|52=46 53=46 $(fill 54 58 0)|
	END
}

# Bytes that make no data invalid; what is the kernel's own is not read.
match_valid() {
	cat <<-END
	1296=255
	END
}

target_valid() {
	cat <<-END
	3192=255
	138=0
	138=255
	84=9
	136=1
	END
}

# add BYTES OPTIONS: a rule, its data written over.
add() {
	# shellcheck disable=SC2086 # words
	PATCH=$1 XTABLES_LIBDIR=$PWD:$libdir "$ipt" -t "$table" -A "$chain" -p udp $rule $2
}

# refused MESSAGE BYTES OPTIONS.  The log takes ten such lines and then pauses: a new
# module begins anew.
refused() {
	rmmod "$module"
	lines=$(dmesg | wc -l)
	add "$2" "$3" 2> err
	status=$?
	dmesg | sed "1,${lines}d" > messages
	if [ $status -ne 0 ] && grep -q "$kind: invalid $1\$" messages; then
		ok "$ipt: $kind: $2 over '$3' is refused"
	else
		not_ok "$ipt: $kind: $2 over '$3' is refused" "status $status" "$(cat err messages)"
	fi
}

# hostile match|target MODULE TABLE CHAIN RULE
hostile() {
	kind=$1 module=$2 table=$3 chain=$4 rule=$5
	check "$ipt: $kind: unpatched, the rule is added" add '' ''
	"$ipt" -t "$table" -F
	"${kind}_cases" > cases
	while IFS='|' read -r message bytes options only; do
		case $only in
		'' | "$version") refused "$message" "$bytes" "$options" ;;
		esac
	done < cases
	is "$ipt: $kind: no rule was added" "$("$ipt" -t "$table" -S "$chain" | wc -l)" 1
	for bytes in $("${kind}_valid"); do
		check "$ipt: $kind: $bytes is not refused" add "$bytes" ''
		"$ipt" -t "$table" -F
	done
}

# both PROGRAM 4|6
both() {
	ipt=$1 version=$2
	family "$version"
	hostile match xt_dtlscid filter INPUT "-m dtlscid"
	# shellcheck disable=SC2154 # nodes is set by family
	hostile target xt_DTLSCID raw PREROUTING "-j DTLSCID --node 1=${nodes}1 --node 2=${nodes}2"
}

libdir=$(dirname "$(find /usr/lib -name libxt_udp.so)")
mv hostile-match.so libxt_dtlscid.so
mv hostile-target.so libxt_DTLSCID.so
both iptables-legacy 4
both ip6tables-nft 6
finish
