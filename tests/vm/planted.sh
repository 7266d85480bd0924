#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# planted.sh: whether a debug kernel sees each kind of fault that it is there to see.
#
# usage: planted.sh VER
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=${here%/tests/vm}
[ $# -eq 1 ] || { sed -n '5s/^# //p' "$0" >&2; exit 2; }
ver=$1
. "$here/tap.sh"

temp=$(mktemp -d "$top/build/planted.XXXXXX")
trap 'rm -rf "$temp"' EXIT
trap 'exit 1' HUP INT TERM

# What each kernel writes of a fault; kmemleak and sleeping need what UML has not.
faults() {
	cat <<-END
	overrun		BUG: KASAN: slab-out-of-bounds
	use-after-free	BUG: KASAN: \(slab-\)\?use-after-free
	bounds		UBSAN: array-index-out-of-bounds
	deadlock	WARNING: possible circular locking dependency
	unlocked	WARNING: suspicious RCU usage
	END
	[ "$ver" = uml ] || cat <<-END
	sleep		BUG: \(sleeping function called\|scheduling while atomic\)
	leak		leak: [0-9]
	END
}

"$here/modules" "$ver" "$here/planted" || exit 1
module=$top/build/modules/$ver.planted/planted.ko

# guest STATUS TEXT [FAULT]: whether a guest with that fault ends with that status, and says
# that.
guest() {
	echo "insmod planted.ko ${3:+fault=$3}; exit 0" > "$temp/planted.sh"
	"$here/run" --kernel "$ver" --timeout 120 "$temp/planted.sh" "$module" > "$temp/log" 2>&1
	[ $? -eq "$1" ] && { [ -z "$2" ] || grep -q "$2" "$temp/log"; } && return
	cat "$temp/log"
	return 1
}

check "$ver: without a fault all is well" guest 0 ''
faults > "$temp/faults"
while read -r fault text; do
	check "$ver: $fault is seen" guest 125 "run: the kernel warned: .*$text" "$fault"
done < "$temp/faults"
finish
