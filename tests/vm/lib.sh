# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# lib.sh: what the scripts in a guest share.  Read it by: . lib.sh
. tap.sh
. net.sh

# at_length FAMILY: whether what takes long is for it under this flavour of iptables: one
# has IPv4 and the other IPv6, so that make check has each once; on 5.10 both.
at_length() {
	case $(uname -r)-$FLAVOUR in
	5.10.*) ;;
	*-legacy) [ "$1" = 4 ] ;;
	*) [ "$1" = 6 ] ;;
	esac
}

# Counters.

# packets PROGRAM TABLE CHAIN COMMENT: the packets that the rule of that
# chain which carries that comment (-m comment) has counted.
packets() {
	"$1" -t "$2" -nvxL "$3" | awk -v text="/* $4 */" 'index($0, text) { print $1 }'
}

# zero PROGRAM TABLE
zero() {
	"$1" -t "$2" -Z
}

# hits PROGRAM TABLE CHAIN: the comments of the rules that have counted packets,
# in the chain's order.
hits() {
	"$1" -t "$2" -nvxL "$3" | sed -n 's/^ *[1-9][0-9]* .*\/\* \(.*\) \*\/.*/\1/p' | xargs
}

# seen COUNT: whether so many packets have come to the last rule of a chain under
# test, whose comment is "seen".
seen() {
	[ "$(packets "$tables" raw PREROUTING seen)" -ge "$1" ]
}

# sent PACKETS COMMAND...: let the client run it; the comments of the rules in raw
# PREROUTING that counted, once so many packets have been seen.
sent() {
	wanted=$1
	shift
	zero "$tables" raw
	on client "$@"
	wait_for 30 seen "$wanted" ||
		echo "only $(packets "$tables" raw PREROUTING seen) of $wanted packets"
	hits "$tables" raw PREROUTING
}

# Datagrams of one record, of 41 bytes all, so that an aggregate can hold any of them.
# A CID is of 6 bytes, of which the first is the node's id.

cid12() {
	printf '19fefd0001000000000001%02xab2345cd6700160001000000000001a0a1a2a3a4a5a6a7a8a9aaabacad' "$1"
}

cid13() {
	printf '3f%02xab2345cd670001001e0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e' "$1"
}

# shellcheck disable=SC2034 # for the scripts
{
client_hello=16fefd0000000000000001001c0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c
no_cid=17fefd0001000000000001001c0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c
}

# The target.

# first_nodes COUNT: so many, as a rule's options.
first_nodes() {
	for k in $(seq "$1"); do echo "--node $k=$(node "$k")"; done | xargs
}

# balance NAME OPTION...: all that is sent to the service goes by this rule, in raw's $chain.
chain=PREROUTING port=5684
balance() {
	under=$1
	shift
	"$tables" -t raw -A "$chain" -d "$vip" -p udp --dport "$port" -j DTLSCID --name "$under" "$@"
}

# ruleset NAME OPTION...: the rule in place of all there is in $chain, for
# iptables-restore -n, after the lines $ahead.  With -n, as else iptables-nft-restore
# makes the table anew, and now and then a packet sees neither the old chain's rules nor
# the new one's.
ruleset() {
	under=$1
	shift
	printf '%s\n' '*raw' "-F $chain" "$ahead" \
		"-A $chain -d $vip -p udp --dport $port -j DTLSCID --name $under $*" COMMIT
}
ahead=

# replace NAME OPTION...
replace() { ruleset "$@" | "$tables-restore" -n; }

# counts NAME: how many datagrams came to what under a name: REASON=N, a line each.  Of a
# name of -j LBSP, first packets of flows.
counter_files=/proc/net/xt_dtlscid counter_sum=datagrams
counts() {
	sed -n "/^$counter_sum=/p" "$counter_files/$1" | tr ' ' '\n'
}

# gain NAME: what has been counted since the last news.
gain() {
	[ -e "counts.$1" ] || echo "$counter_sum=0" > "counts.$1"
	counts "$1" | awk -F = 'FILENAME != "-" { was[$1] = $2; next }
		$2 != was[$1] { print $1 "=" $2 - was[$1] }' "counts.$1" -
}

# judged NAME COUNT: whether so many datagrams have come since the last news.
judged() {
	gain "$1" | grep -qx "$counter_sum=$2"
}

# news NAME: what datagrams came to since the last news, as "datagrams=2 cid12=2".
news() {
	gain "$1" | xargs
	counts "$1" > "counts.$1"
}

# zones: the flows of the family, $f, in zones that tests give to the target, sorted,
# without what is left of their time.
# shellcheck disable=SC2154
zones() {
	flows "-$f" -z 1000:2999 | sed 's/ timeout=[0-9]*//' | sort
}

# ours, entries: how many of conntrack's entries are in such zones, and there are, expired
# ones and others' included.
ours() { flows -c -z 1000:1999; }
entries() { cat /proc/sys/net/netfilter/nf_conntrack_count; }

# No name has a rule or a flow; none of LBSP has.
no_names() { [ -z "$(ls /proc/net/xt_dtlscid)" ]; }
no_lbsp_names() { [ -z "$(ls /proc/net/xt_lbsp)" ]; }

# Traffic.

# send_each COUNT HEX...: the client, from port 42000.
# shellcheck disable=SC2154
send_each() {
	count=$1
	shift
	on client udp send -s "$client" -p 42000 -n "$count" "$vip" "$port" "$@"
}

# while_sending TIMES COMMAND HEX...: the command again and again, so many times at least,
# while the client sends these datagrams; in the end the command has run $times times, and
# there were $each of each datagram.
while_sending() {
	least=$1 meanwhile=$2 times=0 each=0
	shift 2
	while [ $times -lt "$least" ]; do
		send_each 5000 "$@" &
		sender=$!
		while kill -0 $sender 2> ended; do
			"$meanwhile"
			times=$((times + 1))
		done
		each=$((each + 5000))
	done
}

# who_answers ADDRESS PORT ID...: who answers the client's datagrams from there, with the CIDs
# of these nodes, and from where.
who_answers() {
	from=$1 p=$2
	shift 2
	for k; do
		on client udp ask -s "$from" -p "$p" -t 5000 "$vip" "$port" "$(cid12 "$k")"
	done
}

# from_service ID...: what they answer when all is well.
from_service() { printf "node%s $vip $port\n" "$@"; }

# serve_names COUNT: so many nodes answer, each with its name.
serve_names() {
	for k in $(seq "$1"); do serve "node$k" echo "node$k" "$(node "$k")" "$port"; done
}

# tally_names COUNT: so many nodes count what comes, by its sender and node id.
tally_names() {
	for k in $(seq "$1"); do serve "node$k" tally 11 "$(node "$k")" "$port"; done
}

# -j LBSP.

# shellcheck disable=SC2034 # for news
lbsp_counters() { counter_files=/proc/net/xt_lbsp counter_sum=packets; }

# servers COUNT [SUFFIX]: so many nodes, as a rule's options.
servers() {
	for k in $(seq "$1"); do echo "--server $(node "$k")${2-}"; done | xargs
}

# spread NAME OPTION...: all that is sent to the service goes by this rule.
spread() {
	under=$1
	shift
	ip6tables -t nat -A PREROUTING -d "$vip" -j LBSP --name "$under" "$@"
}

# serve_options COUNT PORT...: so many nodes answer there, each with the name server K and what
# option came.
serve_options() {
	count=$1
	shift
	for k in $(seq "$count"); do
		for p; do
			on "node$k" lbsp serve "server$k" "$p" 2> "serving$k-$p" &
			served="$served $!"
			wait_for 10 listening "node$k" "$p"
		done
	done
}

# What is left alone comes to the balancer itself: watch_own, then own is how much did.
watch_own() {
	ip6tables -A INPUT -d "$vip" -m comment --comment own
	zero ip6tables filter
}
own() { packets ip6tables filter INPUT own; }

# A port that no client had: a flow that lives would be found.  In a file, for subshells.
next_port() {
	[ -e next_port ] || echo 20000 > next_port
	read -r next < next_port
	echo $((next + 1)) | tee next_port
}

# server_of OPTION... ADDR PORT: which server answers the client who sends so.
server_of() { on client lbsp ask -p "$(next_port)" "$@" | cut -d ' ' -f 1; }

# What is left behind.

available() {
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^MemAvailable:/ { print $2 }' /proc/meminfo
}

# back KB: whether there is as much memory again as there was; 1.5 MB less is noise.  What is
# lost by the object, kmemleak sees on smp.
back() { [ "$(available)" -ge $(($1 - 1536)) ]; }

# The rules of a module: a namespace's last ones go a little later than it, and so do those
# of nft.
users() { awk '$1 == "xt_DTLSCID" { print $3 }' /proc/modules; }
no_users() { [ "$(users)" = 0 ]; }

# forget: no more servers, rules or flows.
forget() {
	serve_no_more
	for table in raw nat; do "$tables" -t $table -F; done
	conntrack -F 2> flushed
}
