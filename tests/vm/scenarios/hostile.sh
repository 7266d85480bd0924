#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Rule data that no honest plugin sends: the kernel refuses it, and says in its log
# what of it is wrong.
. lib.sh

# Each case: what the log says | bytes written over | options of the rule | the only
# family it is of, if there is one.

# Offsets are those of struct xt_dtlscid_mtinfo_v0.
xt_dtlscid_cases() {
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

# Offsets are those of struct xt_dtlscid_tginfo_v0; its node N is at 132 + 24 * N.
# Rules have two nodes, 1 and 2.
xt_DTLSCID_cases() {
	cat <<-END
	flags|4=8|
	flags|4=128|
	flags|11=1|
	flags|3204=1|
	flags|3207=128|
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
	--node|132=0 133=0 134=0 135=0 137=0 147=0|
	--node|132=224||4
	--node|132=239||4
	--node|132=255 133=255 134=255 135=255|
	--node|136=1||4
	--node|147=128||4
	--node|132=255 133=2||6
	--node|156=0 157=0 158=0 159=0 161=0 171=0|
	--node|172=1|
	--node|149=1|
	--node|151=128|--id-length 3
	--node|155=1|--id-length 2
	--node|155=5|--id-offset 4 --id-length 2
	--node|180=1|
	--node|195=1|
	--node|196=1|
	--node|200=1|
	--node|202=1|
	--node|203=1|
	--node|3180=1|
	--node|3203=1|
	--node|100=16|
	--node|100=128|
	--node|101=1|
	--node|131=64|
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
	--vip|14=1|
	--vip|15=128|
	--vip|84=1|
	--vip|99=128|
	--vip|14=0 15=0|--vip 198.51.100.1:5684|4
	--vip|84=0 85=0 86=0 87=0|--vip 198.51.100.1:5684|4
	--vip|84=224|--vip 198.51.100.1:5684|4
	--vip|88=1|--vip 198.51.100.1:5684|4
	--vip|99=128|--vip 198.51.100.1:5684|4
	--vip|14=0 15=0|--vip [2001:db8::1]:5684|6
	--vip|84=255|--vip [2001:db8::1]:5684|6
	END
}

# Offsets are those of struct xt_lbsp_mtinfo_v0.
xt_lbsp_cases() {
	cat <<-END
	flags|2=32|
	flags|2=128|
	flags|2=33|--client ::1
	flags|3=1|
	flags|3=2|--client ::1
	flags|3=32|
	flags|3=17|--client ::1
	flags|7=1|
	flags|7=128|--client ::1
	--option-type|0=0|
	--option-type|0=4|
	--option-type|0=7|
	--option-type|0=255|
	--option-type|1=0|
	--option-type|1=1|
	--option-type|1=64|
	--option-type|1=158|
	--option-type|1=201|
	--option-type|1=255|
	--encoding|4=0|--encoding rfc
	--encoding|4=3|--encoding rfc
	--encoding|4=4|--encoding draft
	--encoding|4=255|--encoding draft
	--encoding|4=1|
	--encoding|4=2|--client ::1
	$(xt_lbsp_prefix client 5 8)
	$(xt_lbsp_prefix server 6 24)
	END
}

# xt_lbsp_prefix OPTION BITS ADDRESS: a prefix whose bits and address are at these offsets.
xt_lbsp_prefix() {
	cat <<-END
	--$1|$2=129|--$1 ::1
	--$1|$2=255|--$1 ::1
	--$1|$2=1|
	--$1|$2=128|
	--$1|$2=128|--server-set
	--$1|$3=1|
	--$1|$(($3 + 15))=1|
	--$1|$(($3 + 15))=1 2=16|
	--$1|$2=0|--$1 ::1
	--$1|$2=127|--$1 ::1
	--$1|$2=60|--$1 2001:db8:1:1::/64
	--$1|$3=1|--$1 ::/0
	--$1|$3=128|--$1 ::/0
	--$1|$(($3 + 15))=1|--$1 2001:db8::/64
	--$1|$(($3 + 8))=128|--$1 2001:db8::/64
	END
}

# Offsets are those of struct xt_lbsp_tginfo_v0; its server N is at 64 + 20 * N.
# Rules have two servers, 1 and 2; $more are as many as fit besides.
xt_LBSP_cases() {
	more=$(seq 126 | sed 's/^/--server 2001:db8:9::/' | xargs)
	cat <<-END
	flags|2=4|
	flags|2=128|
	flags|4=1|
	flags|7=128|
	--encoding or --option-type|0=0|
	--encoding or --option-type|0=3|
	--encoding or --option-type|0=4|
	--encoding or --option-type|0=5|
	--encoding or --option-type|0=255|
	--encoding or --option-type|1=0|
	--encoding or --option-type|1=1|
	--encoding or --option-type|1=64|
	--encoding or --option-type|1=201|
	--encoding or --option-type|1=1|--encoding draft
	--server|3=0|
	--server|3=1|
	--server|3=3|
	--server|3=128|
	--server|3=129|
	--server|3=255|
	--server|3=127|$more
	--server|3=129|$more
	--server|3=255|$more
	--server|64=0 65=0 66=0 67=0 69=0 79=0|
	--server|84=0 85=0 86=0 87=0 89=0 99=0|
	--server|64=255|
	--server|84=255 85=0|
	--server|99=1|
	--server|79=2|
	--server|81=4|
	--server|81=255|
	--server|101=4|
	--server|82=1|
	--server|83=128|
	--server|102=1|
	--server|104=1|
	--server|119=1|
	--server|120=1|
	--server|121=1|
	--server|123=1|
	--server|2604=1|
	--server|2623=1|
	--timeout|8=1|
	--timeout|12=1|
	--timeout|8=0|--timeout 10,5
	--timeout|12=0|--timeout 10,5
	--timeout|8=129 9=81 10=1|--timeout 10,5
	--timeout|12=129 13=81 14=1|--timeout 10,5
	--timeout|11=128|--timeout 10,5
	--timeout|15=128|--timeout 10,5
	--hash-key|16=1|
	--hash-key|31=128|
	--hash-key|2=0|--hash-key 00112233445566778899aabbccddeeff
	--hash-key|2=2|--hash-key 00112233445566778899aabbccddeeff
	--name|32=0|
	--name|$(fill 32 35 0)|
	--name|37=97|
	--name|63=97|
	--name|$(fill 36 63 97)|
	--name|32=47|
	--name|35=47|
	--name|32=32|
	--name|33=10|
	--name|33=127|
	--name|33=200|
	--name|32=46 $(fill 33 35 0)|
	--name|32=46 33=46 $(fill 34 35 0)|
	END
}

# Bytes that make no data invalid; what is the kernel's own is not read.
xt_dtlscid_valid() {
	cat <<-END
	1296=255
	END
}

xt_DTLSCID_valid() {
	cat <<-END
	3208=255
	154=0
	154=255
	100=9
	152=1
	END
}

xt_lbsp_valid() {
	cat <<-END
	0=1
	0=2
	1=2
	1=63
	2=16
	2=4
	END
}

xt_LBSP_valid() {
	cat <<-END
	2624=255
	0=2
	1=2
	1=63
	2=2
	80=0
	80=255
	81=3
	99=255
	END
}

# add BYTES OPTIONS: a rule, its data written over.
add() {
	# shellcheck disable=SC2086 # words
	PATCH=$1 XTABLES_LIBDIR=$PWD:$libdir "$ipt" -t "$table" -A "$chain" $rule $2
}

# refused MESSAGE BYTES OPTIONS.  The log takes ten such lines and then pauses: a new
# module begins anew.
refused() {
	[ $((asked % 8)) -ne 0 ] || rmmod "$module"
	asked=$((asked + 1))
	lines=$(dmesg | wc -l)
	add "$2" "$3" 2> err
	status=$?
	dmesg | sed "1,${lines}d" > messages
	[ $status -ne 0 ] || "$ipt" -t "$table" -F "$chain"
	if [ $status -ne 0 ] && grep -q "$kind: invalid $1\$" messages; then
		ok "$ipt: $kind: $2 over '${3%% --server *}' is refused"
	else
		not_ok "$ipt: $kind: $2 over '${3%% --server *}' is refused" "status $status" "$(cat err messages)"
	fi
}

# hostile match|target MODULE TABLE CHAIN RULE
hostile() {
	kind=$1 module=$2 table=$3 chain=$4 rule=$5
	check "$ipt: $kind: unpatched, the rule is added" add '' ''
	"$ipt" -t "$table" -F
	"${module}_cases" > cases
	asked=0
	while IFS='|' read -r message bytes options only; do
		case $only in
		'' | "$version") refused "$message" "$bytes" "$options" ;;
		esac
	done < cases
	is "$ipt: $kind: no rule is left" "$("$ipt" -t "$table" -S "$chain" | wc -l)" 1
	for bytes in $("${module}_valid"); do
		check "$ipt: $kind: $bytes is not refused" add "$bytes" ''
		"$ipt" -t "$table" -F
	done
}

# use PROGRAM 4|6
use() {
	ipt=$1 version=$2
	family "$version"
}

# shellcheck disable=SC2154 # nodes is set by family
dtlscid() {
	hostile match xt_dtlscid filter INPUT "-p udp -m dtlscid"
	hostile target xt_DTLSCID raw PREROUTING \
		"-p udp -j DTLSCID --node 1=${nodes}1 --node 2=${nodes}2"
}

lbsp() {
	hostile match xt_lbsp filter INPUT "-m lbsp"
	hostile target xt_LBSP nat PREROUTING "-j LBSP --server ${nodes}1 --server ${nodes}2"
}

libdir=$(dirname "$(find /usr/lib -name libxt_udp.so)")
for plugin in hostile-*.so; do mv "$plugin" "${plugin#hostile-}"; done
case $FLAVOUR in
legacy) use iptables-legacy 4 ;;
nft) use ip6tables-nft 6 ;;
esac
dtlscid
use "ip6tables-$FLAVOUR" 6
lbsp
finish
