# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# peers.sh: real DTLS peers (tests/peers) in a guest: nodes, and any number of
# clients at once that are told what to do line by line.  Given to a script as a
# FILE, it is read after lib.sh by: . ./peers.sh

# start_nodes COUNT PEER PORT: nodes that issue CIDs of 6 bytes, the first of which
# is their number, to clients of both families.  Their logs are nodeK.log.
start_nodes() {
	for k in $(seq "$1"); do
		: > "node$k.log"
		on "node$k" ./"$2" server --node "$k" --cid-length 6 :: "$3" >> "node$k.log" 2>&1 &
		wait_for 10 grep -q listening "node$k.log"
	done
}

# peer_of VERSION: set $peer and $port to the program that speaks it, and to where its
# nodes listen.
# shellcheck disable=SC2034 # for the scripts
peer_of() {
	case $1 in
	1.2) peer=dtls-peer port=5684 ;;
	1.3) peer=dtls13-peer port=5685 ;;
	esac
}

# start_client NAME PEER ARGUMENT...: its log is NAME.log.  It has its FIFO open to
# write as well, and so never reads an end.
start_client() {
	who=$1 program=$2
	shift 2
	rm -f "$who.fifo"
	mkfifo "$who.fifo"
	exec 3<> "$who.fifo"
	ip netns exec client ./"$program" client "$@" <&3 3>&- > "$who.log" 2>&1 &
	echo $! > "$who.pid"
	exec 3>&-
}

# stop_client NAME
stop_client() {
	kill "$(cat "$1.pid")"
	wait "$(cat "$1.pid")" 2> /dev/null
}

# tell NAME COMMAND...: opened to read as well, the FIFO of a client that has died
# blocks nobody.
tell() {
	who=$1
	shift
	echo "$*" 1<> "$who.fifo"
}

# replies FILE...: how many messages of these clients were answered, or waited for in vain.
replies() {
	cat "$@" | grep -cE '^(answer|timeout|not-connected|session-lost)'
}

# told NAME COUNT: whether the client has done with so many messages.
told() {
	[ "$(replies "$1.log")" -ge "$2" ]
}

# home NAME: the node that the client's first handshake was with.
home() {
	sed -n 's/^handshake 1 cid 0\(.\).*/\1/p' "$1.log"
}

# story NAME: the client's log without the random part of the CID.
story() {
	sed 's/\(cid ..\).*/\1/' "$1.log" | xargs
}

# events WORD: how many lines of each node's log begin with it.
events() {
	for log in node[0-9].log; do
		grep -c "^$1 " "$log"
	done | xargs
}
