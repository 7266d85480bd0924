# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# net.sh: the namespaces of a test, and who listens there.

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

# arrived NAMESPACE...: the datagrams that have come there, whatever became of them.
arrived() {
	for space; do
		# shellcheck disable=SC2016 # of awk
		on "$space" awk '/^Udp: [0-9]/ { n += $2 + $3 + $4 }
			/^Udp6(InDatagrams|NoPorts|InErrors)/ { n += $2 }
			END { print n }' /proc/net/snmp /proc/net/snmp6
	done | awk '{ n += $1 } END { print n + 0 }'
}

# arrived_since COUNT NAMESPACE...: whether so many datagrams have arrived there since there were
# $before of them.
# shellcheck disable=SC2154
arrived_since() {
	count=$1
	shift
	[ $(($(arrived "$@") - before)) -ge "$count" ]
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

# A link's network has a prefix in each family, in which the router is 1.  Link-layer
# addresses are 02:00:00:00:LINK:, then the last part of the others.

# host_end LINK PREFIX4 PREFIX6 LAST: for ip -batch, a host that has but this link.
host_end() {
	cat <<-LINES
	link set lo up
	link set eth0 address 02:00:00:00:$1:$4 addrgenmode none up
	addr add $2.$4/24 dev eth0
	addr add $3::$4/64 dev eth0 nodad
	neigh add $2.1 lladdr 02:00:00:00:$1:01 dev eth0
	neigh add $3::1 lladdr 02:00:00:00:$1:01 dev eth0
	route add default via $2.1
	route add default via $3::1
	LINES
}

# router_end LINK PREFIX4 PREFIX6 LAST HOST: its router; the link has the name of the host's
# namespace there.
router_end() {
	cat <<-LINES
	link add $5 address 02:00:00:00:$1:01 type veth peer name eth0 netns $5
	link set $5 addrgenmode none up
	addr add $2.1/24 dev $5
	addr add $3::1/64 dev $5 nodad
	neigh add $2.$4 lladdr 02:00:00:00:$1:$4 dev $5
	neigh add $3::$4 lladdr 02:00:00:00:$1:$4 dev $5
	LINES
}

client_side() {
	host_end 01 198.51.100 2001:db8:1 10
	cat <<-END
	addr add 198.51.100.11/24 dev eth0
	addr add 198.51.100.12/24 dev eth0
	addr add 2001:db8:1::11/64 dev eth0 nodad preferred_lft 0
	addr add 2001:db8:1::12/64 dev eth0 nodad preferred_lft 0
	END
}

# balancer_side NODES
balancer_side() {
	echo netns add client
	router_end 01 198.51.100 2001:db8:1 10 client
	for last in 11 12; do
		echo "neigh add 198.51.100.$last lladdr 02:00:00:00:01:10 dev client"
		echo "neigh add 2001:db8:1::$last lladdr 02:00:00:00:01:10 dev client"
	done
	cat <<-END
	link add nodes address 02:00:00:00:02:01 type bridge mcast_snooping 0
	link set nodes addrgenmode none up
	addr add 192.0.2.1/24 dev nodes
	addr add 2001:db8:2::1/64 dev nodes nodad
	END
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
		host_end 02 192.0.2 2001:db8:2 $((10 + k)) | ip -n "node$k" -batch - || return
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
