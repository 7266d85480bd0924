#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: a first datagram that waits where no name and no module sees it, in the queue
# of a neighbour that does not answer yet, and the end of the name meanwhile.
. lib.sh

# Client, node and balancer on one bridge, whose netfilter translates what passes it.
bridged() {
	modprobe br_netfilter
	sysctl -q -w net.bridge.bridge-nf-call-iptables=1 net.ipv4.ip_forward=1
	ip link add shared type bridge mcast_snooping 0
	ip addr add 192.0.2.1/24 dev shared
	ip link set shared up
	for space in client node1; do
		ip netns add $space
		ip link add $space type veth peer name eth0 netns $space
		ip link set $space master shared up
		ip -n $space link set eth0 up
	done
	ip -n client addr add 192.0.2.10/24 dev eth0
	ip -n node1 addr add 192.0.2.11/24 dev eth0
	ip -n node1 link set eth0 arp off
	sysctl -q -w net.ipv4.neigh.shared.mcast_solicit=60
}

# conntrack has other users, so that it stays.
hold() {
	iptables -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED
	balance held --node 1=192.0.2.11 --timeout 33,33
	on client udp send -s 192.0.2.10 -p 40000 "$vip" $port "$(cid12 1)"
	wait_for 10 judged held 1
}

gone() { [ ! -e /proc/net/xt_dtlscid/held ]; }

node_hears() { [ -s node1 ]; }

f=4 port=5684
family 4
vip=192.0.2.1
bridged
hold
is "the datagram waits: no flow is confirmed" "$(zones | wc -l)" 0
serve node1 sink 192.0.2.11 $port
iptables -t raw -F
check "the name ends" wait_for 20 gone
check "and the module goes" wait_for 10 rmmod xt_DTLSCID
ip -n node1 link set eth0 arp on
case $(uname -r) in
5.10.*)
	wait_for 5 node_hears
	is "the datagram is dropped, as its timeout object is no more" "$(cat node1)$(zones | wc -l)" 0 ;;
*)
	check "the datagram arrives" wait_for 10 node_hears
	is "its flow has a timeout object still" "$(flows -4 -z 1001:1001 | grep -cE 'timeout=(3[0-3]|2[0-9]) ')" 1 ;;
esac
serve_no_more
iptables -F
finish
