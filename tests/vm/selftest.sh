#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# selftest.sh: whether a guest that fails is seen to fail, for each way to do so.
# shellcheck disable=SC2016 # the texts of scripts are for the guests
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=${here%/tests/vm}
kernel=${KERNEL:-6.1}
tests=0
failures=0

mkdir -p "$top/build"
temp=$(mktemp -d "$top/build/selftest.XXXXXX")
trap 'rm -rf "$temp"' EXIT
trap 'exit 1' HUP INT TERM

report() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $2"
		sed 's/^/# /' "$temp/$3.log"
	fi
}

# start NAME COMMAND [RUN-OPTION...] [-- FILE...]: run a guest with a script of
# that text, not waiting for it.
start() {
	name=$1 text=$2; shift 2
	echo "$text" > "$temp/$name.sh"
	options=
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options="$options $1"; shift
	done
	[ $# -eq 0 ] || shift
	(
		# shellcheck disable=SC2086 # options, a word each
		"$here/run" --kernel "$kernel" --timeout 60 $options "$temp/$name.sh" "$@" > "$temp/$name.log" 2>&1 &&
			status=0 || status=$?
		echo "$status" > "$temp/$name.status"
	) &
}

# expect NAME STATUS DESCRIPTION [TEXT]: what became of it.
expect() {
	good=1
	if [ "$(cat "$temp/$1.status")" = "$2" ]; then
		[ $# -eq 3 ] || grep -q "$4" "$temp/$1.log"
		good=$?
	fi
	report "$good" "$3" "$1"
}

"$here/image" "$kernel"
"$here/modules" "$kernel" "$here/stuck"
stuck=$top/build/modules/$kernel.stuck/stuck.ko

# Two at a time, as many as make check runs; each pair is a test of that too.
start zero 'for i in $(seq 200); do echo "zero $i"; done'
start one 'for i in $(seq 200); do echo "one $i"; done; exit 1'
wait
start seven 'dd if=/dev/urandom of=$OUT/noise bs=1k count=300 2>/dev/null
	mkdir $OUT/dir; cd $OUT && sha256sum noise > dir/sum; exit 7' --out "$temp/out"
start many 'grep -q 6.1 kernels && exit 200' -- "$here/kernels"
wait
start hang 'echo before; sleep 1000' --timeout 8
start crash 'echo c > /proc/sysrq-trigger'
wait
start splat 'echo "<4>WARNING: CPU: 0 PID: 1 at selftest" > /dev/kmsg'
start stuck 'insmod stuck.ko' -- "$stuck"
wait
start typo 'no_such_command; exit 0'
wait

expect zero 0 'status 0 passes through'
expect one 1 'status 1 passes through'
expect seven 7 'status 7 passes through'
expect many 200 'status 200 passes through, and files are at hand'
expect hang 125 'a hang ends, with status 125' '^run: no end within 8 s'
expect crash 125 'a crash gives 125' '^run: the machine died'
expect splat 125 'a warning of the kernel gives 125' '^run: the kernel warned: .*selftest'
expect stuck 125 'a module that cannot be removed gives 125' '^run: cannot remove stuck'
expect typo 125 'a command that is not there gives 125' '^run: the script called a command'
(cd "$temp/out" && sha256sum -c dir/sum) > "$temp/sum.log" 2>&1 && good=0 || good=1
report "$good" 'files come back intact' sum
grep -c '^zero' "$temp/zero.log" | grep -qx 200 && ! grep -q '^one' "$temp/zero.log" && good=0 || good=1
report "$good" 'guests side by side do not mix' zero
echo "1..$tests"
[ $failures -eq 0 ]
