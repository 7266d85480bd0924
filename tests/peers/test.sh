#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test.sh: the DTLS peers' own test, over loopback.  TAP on stdout.
# bash, for its /dev/udp: the hostile datagrams then need no other tool.
set -u

here=$(cd "$(dirname "$0")" && pwd)
peer=$here/../../build/peers/dtls-peer
"$here/build" || { echo "Bail out! cannot build the peers"; exit 1; }
tmp=$(mktemp -d) || exit 1
pids=() count=0 failed=0

cleanup() {
	if [ ${#pids[@]} -gt 0 ]; then
		kill "${pids[@]}" 2>/dev/null
		kill -CONT "${pids[@]}" 2>/dev/null
	fi
	wait
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# ok NAME COMMAND...: one TAP line, by the command's exit status.
ok() {
	local name=$1 verdict=ok
	shift
	count=$((count + 1))
	"$@" > "$tmp/last.out" 2> "$tmp/last.err" || verdict="not ok"
	echo "$verdict $count - $name"
	if [ "$verdict" != ok ]; then
		failed=$((failed + 1))
		tail -n 20 "$tmp"/*.out "$tmp"/*.err | sed 's/^/# /'
	fi
}

# seen FILE N REGEX: exactly N lines match.  A process just started may have no file yet.
seen() { [ -e "$tmp/$1.out" ] && [ "$(grep -cE -- "$3" "$tmp/$1.out")" -eq "$2" ]; }

# await FILE N REGEX: the same, but give it 3 s to come true.
await() {
	local i
	for ((i = 0; i < 3000; i++)); do
		seen "$@" && return
		sleep 0.01
	done
	return 1
}

# serve NAME NODE ADDR: start a server; set $port to the one the kernel chose.
serve() {
	"$peer" server --node "$2" --cid-length 8 "$3" 0 > "$tmp/$1.out" 2> "$tmp/$1.err" &
	pids+=($!)
	await "$1" 1 '^listening ' || { echo "Bail out! no server on $3"; exit 1; }
	port=$(sed -n 's/^listening [^ ]* \([0-9]*\) .*/\1/p' "$tmp/$1.out")
}

declare -A to
# device NAME OPTION... ADDR PORT: start a client that "tell" gives commands to.
device() {
	local name=$1 fd
	shift
	mkfifo "$tmp/$name.in"
	"$peer" client "$@" < "$tmp/$name.in" > "$tmp/$name.out" 2> "$tmp/$name.err" &
	pids+=($!)
	exec {fd}> "$tmp/$name.in"
	to[$name]=$fd
}

tell() { echo "${*:2}" >&"${to[$1]}"; }
says() { tell "$1" say "$2" && await "$1" 1 "^answer node[0-9]+: $2\$"; }

# connects NAME N: the client's Nth handshake.
connects() { tell "$1" connect && await "$1" 1 "^handshake $2 cid [0-9a-f]{16}\$"; }

# last NAME WORDS: what followed WORDS in the last line that begins with them.
last() { sed -n "s/^$2 //p" "$tmp/$1.out" | tail -n 1; }

# shellcheck disable=SC2001 # a pattern with groups of two
# raw HEX [N]: one datagram to server one, N random bytes at its end; dd gathers it.
raw() {
	{
		printf '%b' "$(sed 's/../\\x&/g' <<< "$1")"
		head -c "${2-0}" /dev/urandom
	} | dd bs=4096 iflag=fullblock 2> "$tmp/dd.err" > "/dev/udp/127.0.0.1/$one"
}

serve one 7 127.0.0.1
one=$port

moves() { "$peer" client --moves 5 "$1" "$2" > "$tmp/moves.out"; }
ok "handshake, then five moves: all answered" moves 127.0.0.1 "$one"
ok "the client shook hands once" seen moves 1 '^handshake '
ok "so did the server, with its id in the CID" seen one 1 '^handshake 1 from .* cid 07[0-9a-f]{14}$'
ok "the server saw five moves" seen one 5 '^moved 1 from .* to 127.0.0.1 '
ports() { awk '/^message 1 / { print $5 }' "$tmp/one.out" | sort -u | wc -l; }
ok "and as many ports, but for one that may come again" test "$(ports)" -ge 5

# Two devices at once; then b gets the address and port that a had before.
interleave() {
	connects a 1 && connects b 1 && says a a1 && says b b1 && says a a2 && says b b2
}
device a 127.0.0.1 "$one"
device b --bind 127.0.0.2 0 127.0.0.1 "$one"
ok "two clients interleaved" interleave
tell a local
await a 1 '^local '
old=$(last a local)
inherit() {
	tell a move 127.0.0.2 && says a a3 && tell b move "$old" && says b b3 && says a a4
}
ok "a moves to another address, b to a's old one" inherit
ok "b was seen there" seen one 1 "^moved 3 from .* to $old\$"
ok "without a handshake" seen one 3 '^handshake '
newcomer() { tell a move && says a a5 && connects b 2 && says b b4 && says a a6; }
ok "b restarts without a word" newcomer

# Hostile datagrams.
junk() {
	local i
	for ((i = 1; i <= 60; i++)); do
		raw "" $((i * 20))
		raw "16fefd0000000000000000$(printf %04x $((i + 1)))01" "$i"
		raw "19fefd00010000000000$(printf %02x "$i")" "$i"
	done
	says a a7
}
ok "random bytes do not stop the server" junk
raw 19fefd00010000000000010711223344556677001c 28
ok "an unknown CID is told and dropped" await one 1 '^unknown-cid 0711223344556677 from 127.0.0.1 '
spoof() {
	local moves
	moves=$(grep -c '^moved ' "$tmp/one.out")
	raw "19fefd00010000000000ff$(last a 'handshake 1 cid')0020" 32
	says a a8 && seen one "$moves" '^moved '
}
ok "a record that is not authentic moves nothing" spoof

# A server that stops: the device is told "timeout" and keeps its session.
silence() {
	device c --wait 1000 127.0.0.1 "$one"
	connects c 1 && kill -STOP "${pids[0]}" && tell c say c1 && await c 1 '^timeout$' &&
		kill -CONT "${pids[0]}" && says c c2 && seen c 0 '^answer node7: c1$'
}
ok "no answer, then a late one" silence
finish() {
	local fd=${to[c]}
	exec {fd}>&-
	! wait "${pids[-1]}"
}
ok "exit status 1 after a timeout" finish

serve six 9 ::
six=$port
ok "IPv6: handshake, five moves" moves ::1 "$six"
ok "IPv6: the server saw ::1 move" seen six 5 '^moved 1 from ::1 [0-9]+ to ::1 [0-9]+$'
ok "IPv4 on the same socket" moves 127.0.0.1 "$six"
ok "and no session failed" seen one 0 '^failed '

# DTLS 1.3: another library behind the same server and client.
peer=$here/../../build/peers/dtls13-peer
serve new 8 127.0.0.1
one=$port
ok "DTLS 1.3: handshake, five moves" moves 127.0.0.1 "$one"
ok "DTLS 1.3: one handshake, the node's id in the CID" seen new 1 '^handshake 1 from .* cid 08[0-9a-f]{14}$'
ok "DTLS 1.3: the server saw five moves" seen new 5 '^moved 1 from .* to 127.0.0.1 '
interleave13() {
	device d 127.0.0.1 "$one"
	device e --bind 127.0.0.2 0 127.0.0.1 "$one"
	connects d 1 && connects e 1 && says d d1 && says e e1 && tell d local && await d 1 '^local '
}
ok "DTLS 1.3: two clients interleaved" interleave13
inherit13() {
	tell d move 127.0.0.2 && says d d2 && tell e move "$(last d local)" && says e e2 &&
		says d d3 && seen new 3 '^handshake '
}
ok "DTLS 1.3: d moves to another address, e to d's old one" inherit13
spoof13() {
	local moves
	moves=$(grep -c '^moved ' "$tmp/new.out")
	raw "3f$(last d 'handshake 1 cid')01000020" 32
	says d d4 && seen new "$moves" '^moved '
}
ok "DTLS 1.3: a record that is not authentic moves nothing" spoof13
raw 3f071122334455667701000010 16
ok "DTLS 1.3: an unknown CID is told and dropped" await new 1 '^unknown-cid 0711223344556677 from 127.0.0.1 '
restart13() { tell d move && connects d 2 && says d d5 && says e e3; }
ok "DTLS 1.3: d restarts without a word" restart13
serve new6 9 ::
ok "DTLS 1.3: IPv6, five moves" moves ::1 "$port"
ok "DTLS 1.3: and no session failed" seen new 0 '^failed '

echo "1..$count"
[ $failed -eq 0 ]
