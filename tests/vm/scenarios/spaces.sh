#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: balancers that are namespaces end under traffic, with live flows and with
# datagrams under way; one in another namespace loses nothing, and memory is what it was.
. lib.sh

# The balancer: client ── bal ── nodes, of which the first takes what comes and the second
# never says where it is, so that datagrams to it wait, their entries unconfirmed.
space() {
	ip netns add bal
	ip -batch - <<-END
	link add bal address 02:00:00:00:03:01 netns bal type veth peer name bal netns client
	link add inner netns bal type veth peer name eth1 netns client
	END
	ip -n bal -batch - <<-END
	link set bal addrgenmode none up
	link set inner addrgenmode none up
	addr add 203.0.113.1/24 dev bal
	addr add 2001:db8:3::1/64 dev bal nodad
	addr add 192.0.2.1/24 dev inner
	addr add 2001:db8:2::1/64 dev inner nodad
	neigh add 192.0.2.11 lladdr 02:00:00:00:02:99 dev inner
	neigh add 2001:db8:2::11 lladdr 02:00:00:00:02:99 dev inner
	END
	ip -n client -batch - <<-END
	link set bal addrgenmode none up
	link set eth1 addrgenmode none arp off up
	addr add 203.0.113.10/24 dev bal
	addr add 2001:db8:3::10/64 dev bal nodad
	neigh add 203.0.113.1 lladdr 02:00:00:00:03:01 dev bal
	neigh add 2001:db8:3::1 lladdr 02:00:00:00:03:01 dev bal
	END
	# shellcheck disable=SC2016 # of the inner shell
	on bal sh -c '
		echo 1 > /proc/sys/net/ipv4/ip_forward
		echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
		iptables-restore -n < rules.4 && ip6tables-restore -n < rules.6'
}

rules() {
	vip=$1
	for name in a b; do
		port=$((port + 1))
		echo "-A PREROUTING -d $vip -p udp --dport $port -j DTLSCID --name $name $(first_nodes 2)"
	done
	printf 'COMMIT\n'
}

# To both names, in both families, till it is told to stop or there is no way.
storm() {
	while [ ! -e quiet ]; do
		for p in 5685 5686; do
			on client forge udp -n 300 203.0.113.10 40000 203.0.113.1 $p "$(cid12 1)" "$(cid12 2)" "$client_hello"
			on client forge udp -n 300 2001:db8:3::10 40000 2001:db8:3::1 $p "$(cid12 1)" "$(cid12 2)" "$client_hello"
		done
	done 2> ended
}

under_way() { [ "$(on bal sed -n 's/^datagrams=\([0-9]*\).*/\1/p' /proc/net/xt_dtlscid/b)" -ge 300 ]; }

unlinked() { on client test ! -e /sys/class/net/bal -a ! -e /sys/class/net/eth1; }

begun=0
begin_and_end() {
	space
	wait_for 20 under_way || idle=$((idle + 1))
	[ "$(on bal flows -c -z 1000:1999)" -ge 10 ] || idle=$((idle + 1))
	ip netns delete bal
	wait_for 20 unlinked
	begun=$((begun + 1))
}

space_gone() { [ "$(users)" = 1 ]; }

spaces() {
	name=here idle=0
	replace "$name" "$(first_nodes 2)"
	rm -f quiet
	storm &
	storm=$!
	begin_and_end
	begin_and_end
	wait_for 30 space_gone
	memory=$(available)
	tally_names 2
	before=$(arrived node1 node2)
	while_sending "$1" begin_and_end "$(cid12 1)" "$(cid12 2)"
	: > quiet
	wait $storm
	wait_for 30 arrived_since $((2 * each)) node1 node2
	serve_no_more
	is "IPv$f: $begun namespaces have ended under traffic; without any" "$idle" 0
	is "IPv$f: of $((2 * each)) datagrams here, each comes to its node" \
		"$(cat node1 node2)" "$(printf "$client 42000 %s $each\n" 1 2)"
	check "IPv$f: none of their rules is left" wait_for 30 space_gone
	check "IPv$f: memory is what it was, to 1.5 MB" wait_for 30 back "$memory"
	echo "# available before and after, kB: $memory, $(available)"
	forget
}

sysctl -q -w net.core.rmem_default=16000000 net.core.netdev_max_backlog=10000
topology 2
for f in 4 6; do
	family $f
	case $f in 4) there=203.0.113.1 ;; 6) there=2001:db8:3::1 ;; esac
	(echo '*raw'; rules "$there") > "rules.$f"
done
for f in 4 6; do
	at_length $f || continue
	family $f
	spaces 25
done
topology_down
finish
