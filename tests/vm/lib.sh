# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# lib.sh: what the scripts in a guest share.  Read it by: . lib.sh

# Results, as TAP.

tests=0
failures=0

# ok DESCRIPTION
ok() {
	tests=$((tests + 1))
	echo "ok $tests - $*"
}

# not_ok DESCRIPTION [WHY...]
not_ok() {
	tests=$((tests + 1))
	failures=$((failures + 1))
	echo "not ok $tests - $1"
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

# Namespaces.

# on NAMESPACE COMMAND...
on() {
	ip netns exec "$@"
}

# at NAMESPACE|balancer COMMAND...
at() {
	[ "$1" != balancer ] || { shift; "$@"; return; }
	on "$@"
}

# listening NAMESPACE|balancer PORT: whether a UDP socket there is bound to that port.
listening() {
	at "$1" grep -q "$(printf ':%04X [0:]*0000' "$2")" /proc/net/udp /proc/net/udp6
}

# serve NAMESPACE|balancer ARGUMENT... PORT: udp in the background, its output in a
# file of that name; it listens when this returns.
serve() {
	for last; do :; done
	case $1 in
	balancer) shift; set -- balancer udp "$@" ;;
	*) space=$1; shift; set -- "$space" ip netns exec "$space" udp "$@" ;;
	esac
	space=$1
	shift
	"$@" > "$space" &
	served="$served $!"
	wait_for 10 listening "$space" "$last"
}
served=

# The end of what was started so, if it has not come yet.
# shellcheck disable=SC2086 # numbers
serve_no_more() {
	{ kill $served; wait $served; } 2> ended
	served=
}

# arrived NAMESPACE...: the datagrams that their sockets have had, or had no room for.
arrived() {
	for space; do
		# shellcheck disable=SC2016 # of awk
		on "$space" awk '/^Udp: [0-9]/ { n += $2 + $6 }
			/^Udp6(InDatagrams|RcvbufErrors)/ { n += $2 }
			END { print n }' /proc/net/snmp /proc/net/snmp6
	done | awk '{ n += $1 } END { print n + 0 }'
}

# family 4|6: set what differs between the two: the addresses of the client,
# its second one, of the virtual service, the prefix of the nodes', and
# the program that makes rules.
# shellcheck disable=SC2034 # for the scripts
family() {
	case $1 in
	4)
		tables=iptables
		vip=198.51.100.1 client=198.51.100.10 client2=198.51.100.11
		nodes=192.0.2. ;;
	6)
		tables=ip6tables
		vip=2001:db8:1::1 client=2001:db8:1::10 client2=2001:db8:1::11
		nodes=2001:db8:2:: ;;
	esac
}

# node K: the address of node K in the family chosen.
node() {
	echo "$nodes$((10 + $1))"
}

# No test waits for neighbour discovery or duplicate detection: neighbours are
# permanent, addresses nodad, and no interface has a link-local address.
client_side() {
	cat <<-END
	link set lo up
	link set eth0 address 02:00:00:00:01:10 addrgenmode none up
	addr add 198.51.100.10/24 dev eth0
	addr add 198.51.100.11/24 dev eth0
	addr add 198.51.100.12/24 dev eth0
	addr add 2001:db8:1::10/64 dev eth0 nodad
	addr add 2001:db8:1::11/64 dev eth0 nodad preferred_lft 0
	addr add 2001:db8:1::12/64 dev eth0 nodad preferred_lft 0
	neigh add 198.51.100.1 lladdr 02:00:00:00:01:01 dev eth0
	neigh add 2001:db8:1::1 lladdr 02:00:00:00:01:01 dev eth0
	route add default via 198.51.100.1
	route add default via 2001:db8:1::1
	END
}

# node_side K
node_side() {
	cat <<-END
	link set lo up
	link set eth0 address 02:00:00:00:02:$((10 + $1)) addrgenmode none up
	addr add 192.0.2.$((10 + $1))/24 dev eth0
	addr add 2001:db8:2::$((10 + $1))/64 dev eth0 nodad
	neigh add 192.0.2.1 lladdr 02:00:00:00:02:01 dev eth0
	neigh add 2001:db8:2::1 lladdr 02:00:00:00:02:01 dev eth0
	route add default via 192.0.2.1
	route add default via 2001:db8:2::1
	END
}

# balancer_side NODES
balancer_side() {
	cat <<-END
	netns add client
	link add client address 02:00:00:00:01:01 type veth peer name eth0 netns client
	link set client addrgenmode none up
	addr add 198.51.100.1/24 dev client
	addr add 2001:db8:1::1/64 dev client nodad
	link add nodes address 02:00:00:00:02:01 type bridge mcast_snooping 0
	link set nodes addrgenmode none up
	addr add 192.0.2.1/24 dev nodes
	addr add 2001:db8:2::1/64 dev nodes nodad
	END
	for end in 10 11 12; do
		echo "neigh add 198.51.100.$end lladdr 02:00:00:00:01:10 dev client"
		echo "neigh add 2001:db8:1::$end lladdr 02:00:00:00:01:10 dev client"
	done
	for k in $(seq "$1"); do
		cat <<-END
		netns add node$k
		link add node$k type veth peer name eth0 netns node$k
		link set node$k master nodes addrgenmode none up
		neigh add 192.0.2.$((10 + k)) lladdr 02:00:00:00:02:$((10 + k)) dev nodes
		neigh add 2001:db8:2::$((10 + k)) lladdr 02:00:00:00:02:$((10 + k)) dev nodes
		END
	done
}

# topology NODES: a client and the nodes, each a namespace, with the balancer
# between them, which is the namespace the script runs in.  At most 89 nodes, as
# the digits of their addresses are those of their link-layer addresses too.
topology() {
	topology_down
	balancer_side "$1" | ip -batch - || return
	client_side | ip -n client -batch - || return
	for k in $(seq "$1"); do
		node_side "$k" | ip -n "node$k" -batch - || return
	done
	echo 1 > /proc/sys/net/ipv4/ip_forward
	echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
}

# What is left of an earlier topology, whichever it was.
topology_down() {
	for space in $(ip netns list | awk '{ print $1 }'); do
		ip netns pids "$space" | xargs -r kill -9
		ip netns delete "$space"
	done
	# The kernel may be about to do it, as a veth pair goes with its namespace.
	for link in client nodes; do
		[ ! -e "/sys/class/net/$link" ] || ip link delete "$link" 2> /dev/null
	done
	wait_for 5 no_links
}

# A namespace ends a little later than its deletion.
no_links() {
	for link in /sys/class/net/client /sys/class/net/node*; do
		[ ! -e "$link" ] || return 1
	done
}

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

# balance NAME OPTION...: all that is sent to the service goes by this rule, in raw's $chain.
chain=PREROUTING port=5684
balance() {
	under=$1
	shift
	"$tables" -t raw -A "$chain" -d "$vip" -p udp --dport "$port" -j DTLSCID --name "$under" "$@"
}

# counts NAME: how many datagrams came to what under a name: REASON=N, a line each.
counts() {
	sed -n '/^datagrams=/p' "/proc/net/xt_dtlscid/$1" | tr ' ' '\n'
}

# gain NAME: what has been counted since the last news.
gain() {
	[ -e "counts.$1" ] || echo datagrams=0 > "counts.$1"
	counts "$1" | awk -F = 'FILENAME != "-" { was[$1] = $2; next }
		$2 != was[$1] { print $1 "=" $2 - was[$1] }' "counts.$1" -
}

# judged NAME COUNT: whether so many datagrams have come since the last news.
judged() {
	gain "$1" | grep -qx "datagrams=$2"
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
