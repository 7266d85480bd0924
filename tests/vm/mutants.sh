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
tests=0 failures=0

# Name, kernel, scenario, what is said of it; then the file, and how it is changed.
table() {
	cat <<-'END'
	bounds|uml|hostile|UBSAN: array-index-out-of-bounds
	xt_dtlscid.c|s/used > XT_DTLSCID_RANGES_MAX/false/
	put|uml|fuzz|not ok .* no entry is left
	lb/icmp.c|/^static bool is_there/,/^}/s/nf_ct_put(ct);/;/
	lock|uml|states|suspicious RCU usage
	lb/proc.c|/^static ssize_t lb_proc_write/,/^}/s/mutex_\(un\)\?lock(&s->lock);/;/
	rcu|6.1|reload|not ok .* datagrams that met a rule
	lb/hooks.c|/^int lb_hooks_up/,/^}/s/synchronize_rcu_expedited();/;/
	kill|6.1|spoof|not ok .* forged clients: the sessions have the flows that they had
	lb/nat.c|s/^\tlearn_vip(f, .*/&\n{ unsigned long i; struct lb_slot *o; xa_for_each(\&f->slots, i, o) { struct nf_conn *x = o == slot ? NULL : lb_find_flow(s, i, \&ct->tuplehash[0].tuple); if (x) { nf_ct_kill(x); nf_ct_put(x); } } }/
	END
}

# broken NAME FILE CHANGE
broken() {
	dir=$top/build/mutants/mutant-$1
	rm -rf "$dir"
	mkdir -p "$top/build/mutants"
	cp -R "$top/kernel" "$dir"
	sed -i "$3" "$dir/$2"
	! cmp -s "$top/kernel/$2" "$dir/$2" && "$here/modules" "$kernel" "$dir" > "$dir.log" 2>&1
}

report() {
	tests=$((tests + 1))
	case $1 in
	0) echo "ok $tests - $2" ;;
	*)
		failures=$((failures + 1))
		echo "not ok $tests - $2"
		tail -n 20 "$dir.log" | sed 's/^/# /' ;;
	esac
}

# seen NAME SCENARIO REASON
seen() {
	! MODULES=$top/build/modules/$kernel.mutant-$1 "$here/suite" "$kernel" legacy "$2" > "$dir.log" 2>&1 &&
		grep -m 1 -e "$3" "$dir.log"
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
	broken "$name" "$file" "$change"
	report $? "mutant $name: $file is broken, and builds"
	seen "$name" "$scenario" "$reason" < /dev/null > "$dir.seen"
	report $? "mutant $name: $scenario fails on $kernel: $(sed 's/^# *//; s/^not ok [0-9]* - //' "$dir.seen" | cut -c 1-100)"
done <<END
$(table)
END
echo "1..$tests"
[ $tests -gt 0 ] && [ $failures = 0 ]
