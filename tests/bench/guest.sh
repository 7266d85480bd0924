#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The benchmark, in a guest whose clock counts instructions.
#
# One processor does everything: a datagram's cost is what lies between the
# sender's system calls: sendmsg, veth, balancer, veth, and the node's socket,
# which is full and drops it.  Each case has namespaces of its own, so no rule,
# table or hook of another case is in the way.
#
# Reads "settings": groups to measure, passes, and the most flows to have.  Writes
# a line GROUP CASE VALUE for each measurement to $OUT/results.
. lib.sh
passes='' most='' groups=''
# shellcheck source=/dev/null
. ./settings

port=5684
cid12=19fefd000100000000000101ab2345cd6700160001000000000001a0a1a2a3a4a5a6a7a8a9aaabacad
no_cid=17fefd0001000000000001001ca0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babb
is_cid12='0>>22&0x3C@8>>8=0x19FEFD'

# With an LBSP option, whose segment 2 is not set, or a node; segment 1 is the sender's.
unset=00000000000000000000000000000000
node_prefix=20010db80009000000000000000100
lbsp=0004010200001e20$unset$unset$no_cid
lbsp_set=0004010200001e20$unset${node_prefix}00$no_cid

result() {
	echo "$1	$2	$3" | tee -a "$OUT/results"
}

die() {
	echo "bench: $*" >&2
	exit 1
}

# family 4|6: what differs between the two.  Clients are 10.64.0.0/10 or 2001:db8:64::/48,
# nodes 10.9.0.1 to 10.9.1.0 or 2001:db8:9::1:0 to ::1:ff; all behind one link each.
family() {
	case $1 in
	4)
		tables=iptables any=0.0.0.0 forward=ipv4/ip_forward
		outer=198.51.100. inner=192.0.2. mask=24 nodad=''
		clients=10.64.0.0/10 servers=10.9.0.0/16 ;;
	6)
		tables=ip6tables any=:: forward=ipv6/conf/all/forwarding
		outer=2001:db8:1:: inner=2001:db8:2:: mask=64 nodad=nodad
		clients=2001:db8:64::/48 servers=2001:db8:9::/48 ;;
	esac
	vip=${outer}1
}

setup() {
	ip -batch - <<-END
	netns add client
	netns add balancer
	netns add node
	link add outer netns balancer address 02:00:00:00:01:01 type veth peer name eth0 netns client
	link add inner netns balancer address 02:00:00:00:02:01 type veth peer name eth0 netns node
	END
	ip -n client -batch - <<-END
	link set lo up
	link set eth0 address 02:00:00:00:01:10 addrgenmode none up
	addr add ${outer}10/$mask dev eth0 $nodad
	route add local $clients dev lo
	route add default via ${outer}1
	neigh add ${outer}1 lladdr 02:00:00:00:01:01 dev eth0
	END
	ip -n balancer -batch - <<-END
	link set outer addrgenmode none up
	link set inner addrgenmode none up
	addr add ${outer}1/$mask dev outer $nodad
	addr add ${inner}1/$mask dev inner $nodad
	neigh add ${outer}10 lladdr 02:00:00:00:01:10 dev outer
	neigh add ${inner}10 lladdr 02:00:00:00:02:10 dev inner
	route add $clients via ${outer}10
	route add $servers via ${inner}10
	END
	ip -n node -batch - <<-END
	link set lo up
	link set eth0 address 02:00:00:00:02:10 addrgenmode none up
	addr add ${inner}10/$mask dev eth0 $nodad
	route add local $servers dev lo
	neigh add ${inner}1 lladdr 02:00:00:00:02:01 dev eth0
	route add default via ${inner}1
	END
	on balancer sh -c "echo 1 > /proc/sys/net/$forward"
	ip netns exec node ./flows answer "$any" $port & # not a function: it is to be stopped
	answerer=$!
	wait_for 10 listening node $port
}

teardown() {
	kill -KILL "$answerer"
	wait "$answerer" 2> /dev/null
	for space in client balancer node; do ip netns delete $space; done
}

# send FIRST FLOWS PACKETS NODES
send() {
	on client ./flows send "$@" "$node_byte" "$to" $port "$datagram"
}

# Datagrams that have come to the node's socket and found it full.
# shellcheck disable=SC2016 # the $ is awk's
arrived() {
	on node awk '/^Udp: [0-9]/ { n += $6 } /^Udp6RcvbufErrors/ { n += $2 } END { print n }' \
		/proc/net/snmp /proc/net/snmp6
}

# measured GROUP CASE, arguments of send: what a datagram costs, if all arrive.
measured() {
	group=$1 name=$2
	shift 2
	before=$(arrived)
	cost=$(send "$@") || die "$name: cannot send"
	[ $(($(arrived) - before)) -eq "$3" ] || die "$name: $3 sent, $(($(arrived) - before)) arrived"
	result "$group" "$name" "$cost"
}

# rules NAME: a contender that cannot be set up is no contender.
rules() {
	"rules_$1" || die "cannot set up $1"
}

all_answered() {
	! on node grep -q "$(printf ':%04X [0:]*0000 07 [0-9A-F]*:0*[1-9A-F]' $port)" \
		/proc/net/udp /proc/net/udp6
}

# One datagram of each of the flows, answered; then the node's socket fills up.
establish() {
	done=0
	while [ $done -lt "$1" ]; do
		some=$(($1 - done < 64 ? $1 - done : 64))
		send $done $some $some "$1" > /dev/null
		wait_for 10 all_answered
		done=$((done + some))
	done
	stop_answers "$1"
}

stop_answers() {
	kill -STOP "$answerer"
	send 0 "$1" 600 "$1" > /dev/null
	[ "$(arrived)" -gt 0 ] || die "the node's socket is not full"
}

# Node ids begin with 0, addresses with 10.9.0.1; an IPv6 one ends with the id.
node_address() {
	case $tables in
	iptables) echo "10.9.$((($1 + 1) / 256)).$((($1 + 1) % 256))" ;;
	ip6tables) printf '2001:db8:9::1:%x\n' "$1" ;;
	esac
}

# Contenders.  A rule set takes the number of nodes; datagrams go to $to, which
# is the node itself where nothing translates addresses.

raw() { on balancer iptables -t raw "$@"; }

rules_none() { to=$(node_address 0); }

rules_dport() {
	to=$(node_address 0)
	raw -A PREROUTING -p udp --dport $port
}

# Address translation as plain as can be.
rules_dnat() {
	to=$vip
	on balancer "$tables" -t nat -A PREROUTING -d "$vip" -p udp --dport $port \
		-j DNAT --to-destination "$(node_address 0)"
}

rules_dnat_dport() {
	rules_dnat
	raw -A PREROUTING -p udp --dport $port
}

# tree TABLE MATCH-FIRST MATCH TARGET: what is common to all nodes is asked once,
# then each node has a rule; %k is its number, %a its address.
tree() {
	{
		echo "*$1"
		echo ":CID -"
		echo "-A PREROUTING -p udp --dport $port $2 -j CID"
		for k in $(seq 0 $((nodes - 1))); do
			echo "-A CID $3 -j $4" | sed "s/%k/$k/; s/%a/$(node_address "$k")/"
		done
		echo COMMIT
	} > table
	on balancer iptables-restore -n table
}

# Every datagram is looked at; no translation, as nat rules see a flow only once.
rules_u32() {
	to=$(node_address 0)
	tree raw "-m u32 --u32 $is_cid12" '-m u32 --u32 0>>22&0x3C@16&0xFF=%k' ACCEPT
}

rules_match() {
	to=$(node_address 0)
	tree raw '' '-p udp -m dtlscid --node-id %k' ACCEPT
}

rules_u32_nat() {
	to=$vip
	tree nat "-m u32 --u32 $is_cid12" '-m u32 --u32 0>>22&0x3C@16&0xFF=%k' \
		'DNAT --to-destination %a'
}

rules_match_nat() {
	to=$vip
	tree nat '' '-p udp -m dtlscid --node-id %k' 'DNAT --to-destination %a'
}

# map ELEMENT [PREFIX]: "{ 0xPREFIX01 : ELEMENT, ... }"
map() {
	printf '{ '
	for k in $(seq 0 $((nodes - 1))); do
		printf '0x%s%02x : %s, ' "${2-}" "$k" "$(echo "$1" | sed "s/%k/$k/; s/%a/$(node_address "$k")/")"
	done
	printf '}'
}

# nodes_of FIRST LAST OPTIONS: that many --node options.
nodes_of() {
	for k in $(seq "$1" "$2"); do
		printf -- '--node %s=%s%s ' "$k" "$(node_address "$k")" "$3"
	done
}

# A rule has at most 128 nodes.
rules_target() {
	to=$vip
	first=0
	while [ $first -lt "$nodes" ]; do
		last=$((nodes - first > 128 ? first + 127 : nodes - 1))
		# shellcheck disable=SC2046 # words
		raw -A PREROUTING -p udp --dport $port -j DTLSCID $(nodes_of $first $last '') || return
		first=$((last + 1))
	done
}

# Every bucket of the nodes so far goes to a new one.
displace() {
	# shellcheck disable=SC2046
	raw -R PREROUTING 1 -p udp --dport $port -j DTLSCID $(nodes_of 0 $((nodes - 1)) ,drain) \
		--node "$nodes=$(node_address "$nodes")"
}

rules_lbsp() {
	to=$vip
	# shellcheck disable=SC2046 # words
	on balancer ip6tables -t nat -A PREROUTING -d "$vip" -p udp --dport $port -j LBSP \
		$(for k in $(seq 0 $((nodes - 1))); do echo "--server $(node_address "$k")"; done)
}

rules_nft() {
	on balancer nft -f -
}

rules_nft_map() {
	to=$(node_address 0)
	rules_nft <<-END
	table ip bench {
		chain raw {
			type filter hook prerouting priority raw
			udp dport $port @th,64,24 0x19fefd @th,152,8 vmap $(map accept)
		}
	}
	END
}

rules_nft_map_nat() {
	to=$vip
	rules_nft <<-END
	table ip bench {
		chain nat {
			type nat hook prerouting priority dstnat
			udp dport $port @th,64,24 0x19fefd dnat to @th,152,8 map $(map %a)
		}
	}
	END
}

rules_nft_zone() {
	to=$vip
	rules_nft <<-END
	table ip bench {
		chain raw {
			type filter hook prerouting priority raw
			udp dport $port @th,64,24 0x19fefd ct original zone set @th,152,8 map $(map %k)
		}
		chain nat {
			type nat hook prerouting priority dstnat
			udp dport $port @th,64,24 0x19fefd dnat to @th,152,8 map $(map %a)
		}
	}
	END
}

rules_nft_stateless() {
	to=$vip
	rules_nft <<-END
	table ip bench {
		chain raw {
			type filter hook prerouting priority raw
			ip daddr $vip udp dport $port notrack @th,64,24 0x19fefd ip daddr set @th,152,8 map $(map %a)
			ip saddr 10.9.0.0/16 udp sport $port notrack
		}
		chain back {
			type filter hook postrouting priority mangle
			ip saddr 10.9.0.0/16 udp sport $port ip saddr set $vip
		}
	}
	END
}

# Bytes at fixed places: an option in another header, or after another one, is not seen.
rules_nft_lbsp() {
	to=$vip
	option="ip6 nexthdr 60 udp dport $port @nh,368,16 0x1e20"
	rules_nft <<-END
	table ip6 bench {
		chain nat {
			type nat hook prerouting priority dstnat
			$option @nh,512,128 0 dnat to jhash @nh,384,128 mod $nodes map $(map %a)
			$option dnat to @nh,512,128 map $(map %a $node_prefix)
		}
	}
	END
}

# established CASE RULES NODES: a flow for each node, answered; the datagrams
# go round the nodes.
established() {
	nodes=$3
	setup
	rules "$2"
	establish "$nodes"
	measured established "$1" 0 "$nodes" 2560 "$nodes"
	teardown
}

# flows CASE RULES FLOWS: as established, with so many flows to one node.
flows() {
	nodes=1
	setup
	rules "$2"
	establish "$3"
	measured established "$1" 0 "$3" 2560 1
	teardown
}

# As established, with the clients' flows in an old slot of their bucket.
displaced() {
	nodes=$3
	setup
	rules "$2"
	establish "$nodes"
	displace || die "cannot displace the clients"
	measured established "$1" 0 "$nodes" 2560 "$nodes"
	teardown
}

# with cid12|no_cid|lbsp|lbsp_set COMMAND...: with that datagram, and in its family; the
# byte that tells its node must be one that means nothing where there is none in it.
with() {
	case $1 in
	cid12) family 4; datagram=$cid12 node_byte=11 ;;
	no_cid) family 4; datagram=$no_cid node_byte=13 ;;
	lbsp) family 6; datagram=$lbsp node_byte=53 ;;
	lbsp_set) family 6; datagram=$lbsp_set node_byte=39 ;;
	esac
	shift
	"$@"
}

# new_flow CASE RULES NODES: each datagram is the first of its flow.
new_flow() {
	nodes=$3
	setup
	rules "$2"
	stop_answers "$nodes"
	measured new-flow "$1" 100000 2560 2560 "$nodes"
	teardown
}

# Bytes of all live kernel objects.
slab() { awk 'NR > 2 { bytes += $2 * $4 } END { printf "%d", bytes }' /proc/slabinfo; }

# scale CASE RULES FLOWS: as established, but of so many live flows.
scale() {
	nodes=1
	[ "$3" -le "$most" ] || return 0
	setup
	rules "$2"
	stop_answers 1
	empty=$(slab)
	send 0 "$3" "$3" 1 > /dev/null
	bytes=$((($(slab) - empty) / $3)) # exact for many flows
	measured scale "$1" 0 "$3" 2560 1
	teardown
}

group_loop() {
	modprobe -a xt_dtlscid xt_DTLSCID xt_lbsp
	insmod bench_loop.ko || die "a case of the loop failed"
	dmesg | sed -n 's/.*bench: \(.*\) \(.*\)/\1 \2/p' | while read -r name value; do
		result loop "$name" "$value"
	done
	rmmod bench_loop
	dmesg -c > /dev/null
}

group_established() {
	established no-rule none 1
	established dport-rule dport 1
	established dnat dnat 1
	established dnat-dport dnat_dport 1
	flows dnat-dport-64 dnat_dport 64
	for n in 1 16 64 256; do established u32-$n u32 $n; done
	established nft-map-64 nft_map 64
	established nft-zone-64 nft_zone 64
	established nft-stateless-64 nft_stateless 64
	for n in 1 64; do established match-$n match $n; done
	for n in 1 64 256; do established target-$n target $n; done
	with no_cid established target-nocid-64 target 64
	with no_cid displaced target-displaced-64 target 64
	with lbsp established dnat6 dnat 1
	established lbsp-8 lbsp 8
	established nft-lbsp-8 nft_lbsp 8
	with cid12
}

group_new_flow() {
	new_flow dnat dnat 1
	new_flow u32-1 u32_nat 1
	new_flow u32-64 u32_nat 64
	new_flow nft-map-64 nft_map_nat 64
	new_flow match-64 match_nat 64
	new_flow target-64 target 64
	with no_cid new_flow target-nocid-64 target 64
	with lbsp new_flow dnat6 dnat 1
	for n in 8 128; do new_flow lbsp-$n lbsp $n; done
	new_flow nft-lbsp-8 nft_lbsp 8
	with lbsp_set new_flow lbsp-8-set lbsp 8
	new_flow nft-lbsp-8-set nft_lbsp 8
	with cid12
}

group_scale() {
	for n in 1 1000 100000 1000000; do scale dnat-$n dnat $n; done
	result memory dnat "$bytes"
}

with cid12
modprobe nf_conntrack
echo 65536 > /proc/sys/net/netfilter/nf_conntrack_buckets
echo 2000000 > /proc/sys/net/netfilter/nf_conntrack_max
for _ in $(seq "$passes"); do
	for group in $groups; do "group_$group"; done
done
