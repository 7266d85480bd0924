#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# mutants.sh: whether scenarios see it when the modules are broken on purpose.
#
# usage: mutants.sh [NAME...]
#
# Each mutant is the project's kernel code but for one line; a scenario has to fail with
# it, for the reason that the table gives.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=${here%/tests/vm}
. "$here/tap.sh"

# Name, kernel, scenario, what is said of it; then the file, and how it is changed.
table() {
	cat <<-'END'
	bounds|uml|hostile|UBSAN: array-index-out-of-bounds
	xt_dtlscid.c|s/used > XT_DTLSCID_RANGES_MAX/false/
	put|uml|fuzz|not ok .* no entry is left
	lb/icmp.c|/^static bool is_there/,/^}/s/nf_ct_put(ct);/;/
	lock|uml|states|suspicious RCU usage
	names.c|/^static ssize_t name_write/,/^}/s/mutex_\(un\)\?lock(&n->lock);/;/
	rcu|6.1|reload|not ok .* datagrams that met a rule
	lb/hooks.c|/^int lb_hooks_up/,/^}/s/synchronize_rcu_expedited();/;/
	kill|6.1|spoof|not ok .* forged clients: the sessions have the flows that they had
	lb/nat.c|s/^\tlearn_vip(f, .*/&\n{ unsigned long i; struct lb_slot *o; xa_for_each(\&f->slots, i, o) { struct nf_conn *x = o == slot ? NULL : lb_find_flow(s, i, \&ct->tuplehash[0].tuple); if (x) { nf_ct_kill(x); nf_ct_put(x); } } }/
	END
}

# broken FILE CHANGE: the modules are built so.
broken() {
	rm -rf "$dir"
	mkdir -p "$top/build/mutants"
	cp -R "$top/kernel" "$dir"
	sed -i "$2" "$dir/$1"
	! cmp -s "$top/kernel/$1" "$dir/$1" && "$here/modules" "$kernel" "$dir"
}

# seen: whether the scenario fails, and says why.
seen() {
	! MODULES=$top/build/modules/$kernel.mutant-$name \
		"$here/suite" "$kernel" legacy "$scenario" < /dev/null > "$dir.log" 2>&1 &&
		grep -q -e "$reason" "$dir.log" && return
	tail -n 20 "$dir.log"
	return 1
}

for name in "$@"; do
	table | grep -q "^$name|" ||
		{ echo "mutants.sh: no '$name'; there are: $(table | sed -n 's/|\(uml\|[0-9.]*\)|.*//p' | xargs)" >&2; exit 2; }
done
while IFS='|' read -r name kernel scenario reason && IFS='|' read -r file change; do
	case " $* " in
	'  ' | *" $name "*) ;;
	*) continue ;;
	esac
	dir=$top/build/mutants/mutant-$name
	check "mutant $name: $file is broken, and builds" broken "$file" "$change"
	check "mutant $name: $scenario fails on $kernel, with '$reason'" seen
done <<END
$(table)
END
finish
