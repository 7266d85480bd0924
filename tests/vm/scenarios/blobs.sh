#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Rules whose data is damaged at random: the kernel refuses them or takes them, and then
# datagrams go through; it never warns, which run would see.  hostile.sh has chosen cases.
#
# A file "storm" says how many rules, and from which seed: "RULES SEED".
. lib.sh

rules=1000 seed=$(date +%s)
[ ! -e storm ] || read -r rules seed < storm

# count WORD: of what blobs said.
count() { sed -n "s/.*$1=\([0-9]*\).*/\1/p" said; }

# The rule of an honest plugin, beside or after all that.
honest() {
	family "$1"
	"$tables" -t raw -A OUTPUT -p udp -m dtlscid --node-id 1 -j DTLSCID --node "1=$(node 1)" &&
		"$tables" -t raw -F
}
honest_lbsp() {
	ip6tables -t nat -A OUTPUT -m lbsp --server-set -j LBSP --server 2001:db8::1 &&
		ip6tables -t nat -F
}
all_honest() {
	for f in 4 6; do check "IPv$f: a rule$1" honest $f; done
	check "a rule of LBSP$1" honest_lbsp
}

# A flow that is there, without an answer, when table nat comes: NAT asks for it, too late.
early_flow() {
	ip6tables -A OUTPUT -m conntrack --ctstate NEW
	udp send -s ::1 -p 40000 ::1 5684 00
	ip6tables -t nat -A OUTPUT -j LBSP --server 2001:db8::1
	udp send -s ::1 -p 40000 ::1 5684 00
	grep -o '^packets=[0-9]*' /proc/net/xt_lbsp/lbsp
	flows -6 -z 0:0 | grep -c dst-nat
	ip6tables -t nat -F
	ip6tables -F
}

is "a flow that began before there was NAT stays as it is" "$(early_flow | xargs)" "packets=0 0"
for module in iptable_raw ip6table_raw ip6table_nat; do modprobe $module 2> none; done
all_honest
echo "# seed $seed, $rules rules"
began=$(uptime_s)
check "rules, damaged" sh -c "blobs $FLAVOUR $seed $rules > said"
echo "# $(cat said); $(($(uptime_s) - began)) s"
is "so many were tried" "$(count tried)" "$rules"
is "each was refused or taken" $(($(count refused) + $(count taken))) "$rules"
check "many were refused" test "$(count refused)" -gt $((rules / 5))
check "many were taken" test "$(count taken)" -gt $((rules / 5))
all_honest ", afterwards"
conntrack -F 2> flushed
check "no name is left when its flows are gone" wait_for 60 no_names
check "none of LBSP" wait_for 60 no_lbsp_names
finish
