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

for module in iptable_raw ip6table_raw; do modprobe $module 2> none; done
for f in 4 6; do check "IPv$f: a rule" honest $f; done
echo "# seed $seed, $rules rules"
began=$(uptime_s)
check "rules, damaged" sh -c "blobs $FLAVOUR $seed $rules > said"
echo "# $(cat said); $(($(uptime_s) - began)) s"
is "so many were tried" "$(count tried)" "$rules"
is "each was refused or taken" $(($(count refused) + $(count taken))) "$rules"
check "many were refused" test "$(count refused)" -gt $((rules / 5))
check "many were taken" test "$(count taken)" -gt $((rules / 5))
for f in 4 6; do check "IPv$f: a rule, afterwards" honest $f; done
conntrack -F 2> flushed
check "no name is left when its flows are gone" wait_for 60 no_names
finish
