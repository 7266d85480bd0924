#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Rule data that no honest plugin sends: the kernel refuses it, and says in its log
# what of it is wrong.  Offsets are those of struct xt_dtlscid_mtinfo_v0.
. lib.sh

# what the log says | bytes written over | options of the rule
cases() {
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

# The log takes ten such lines and then pauses: a new module begins anew.
refused() {
	rmmod xt_dtlscid
	lines=$(dmesg | wc -l)
	# shellcheck disable=SC2086 # words
	PATCH=$2 XTABLES_LIBDIR=$PWD:$libdir "$ipt" -A INPUT -p udp -m dtlscid $3 2> err
	status=$?
	dmesg | sed "1,${lines}d" > messages
	if [ $status -ne 0 ] && grep -q "match: invalid $1\$" messages; then
		ok "$ipt: $2 over '$3' is refused"
	else
		not_ok "$ipt: $2 over '$3' is refused" "status $status" "$(cat err messages)"
	fi
}

libdir=$(dirname "$(find /usr/lib -name libxt_udp.so)")
mv libxt_dtlscid-hostile.so libxt_dtlscid.so
for ipt in iptables-legacy ip6tables-nft; do
	PATCH='' XTABLES_LIBDIR=$PWD:$libdir check "$ipt: unpatched, the rule is added" \
		"$ipt" -A INPUT -p udp -m dtlscid --node-id 1
	"$ipt" -F INPUT
	cases > table
	while IFS='|' read -r message bytes options; do
		refused "$message" "$bytes" "$options"
	done < table
	is "$ipt: no rule was added" "$("$ipt" -S INPUT | wc -l)" 1
	PATCH=1296=255 XTABLES_LIBDIR=$PWD:$libdir check "$ipt: what is the kernel's own is not read" \
		"$ipt" -A INPUT -p udp -m dtlscid --node-id 1
	"$ipt" -F INPUT
done
finish
