# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# tap.sh: results, as TAP, and waiting for them.

tests=0
failures=0

# ok DESCRIPTION
ok() {
	tests=$((tests + 1))
	printf "%s\n" "ok $tests - $*"
}

# not_ok DESCRIPTION [WHY...]
not_ok() {
	tests=$((tests + 1))
	failures=$((failures + 1))
	printf "%s\n" "not ok $tests - $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}

# check DESCRIPTION COMMAND...: ok if the command succeeds.
check() {
	what=$1; shift
	if output=$("$@" 2>&1); then
		ok "$what"
	else
		not_ok "$what" "$* returned $?" "$output"
	fi
}

# is DESCRIPTION GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got:  $2" "want: $3"
	fi
}

# The end of a script; a script that tested nothing has failed.
finish() {
	echo "1..$tests"
	[ $tests -gt 0 ] && [ $failures -eq 0 ]
	exit
}

uptime_s() { cut -d . -f 1 /proc/uptime; }

# wait_for SECONDS COMMAND...: until it succeeds; fails if it never does.
wait_for() {
	end=$(($(uptime_s) + $1)); shift
	until "$@"; do
		[ "$(uptime_s)" -lt $end ] || return 1
		sleep 0.05
	done
}
