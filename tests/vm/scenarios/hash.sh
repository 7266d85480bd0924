#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: which node a client without a CID goes to, and that CIDs change nothing
# in that, nor in the port that the node sees.
. lib.sh

port=5684
key=000102030405060708090a0b0c0d0e0f
other_key=100102030405060708090a0b0c0d0e0f
clients=10000

# flight K: a client's last handshake flight; the CID is in the third record.
flight() { echo "16fefd000000000000000200041000000014fefd0000000000000003000101$(cid12 "$1")"; }

# table ADDRESS OPTIONS...: for iptables-restore, the rule for the service there.
table() {
	to=$1
	shift
	printf '%s\n' '*raw' "-A PREROUTING -d $to -p udp --dport $port -j DTLSCID $*" COMMIT
}

# Datagrams of a client that go to and fro.

# ask PORT DATAGRAM: which node answers the client's port, and from where.
ask() { on client udp ask -s "$client" -p "$1" -t 5000 "$vip" $port "$2"; }

there_and_back() {
	for k in 1 2 3; do
		serve node$k echo node$k "$(node $k)" $port
	done
	p=20000
	until [ "$(ask $p $client_hello)" = "node1 $vip $port" ] || [ $p -eq 20100 ]; do
		p=$((p + 1))
	done
	is "IPv$f: a CID of node 2 from a client of node 1 goes there" \
		"$(ask $p "$(cid12 2)")" "node2 $vip $port"
	is "IPv$f: without a CID the client is node 1's again" \
		"$(ask $p $client_hello)" "node1 $vip $port"
}

# Sixty clients.

# Each shape is what a client sends whose hello hashes to node $1, as "node that must
# get it, datagram"; $2 is another node.
finished_in_flight() { printf '%s\n' "$1 $client_hello" "$1 $(flight "$1")" "$2 $(cid12 "$2")" "$1 $client_hello"; }

cid_first() { printf '%s\n' "$1 $(cid12 "$1")" "$1 $client_hello" "$1 $(cid12 "$1")"; }

# all SHAPE: what all of them send: node, address, port, datagram.
all() {
	while read -r _ p k; do
		"$1" "$k" $((k % 3 + 1)) | sed "s/ / $client $p /"
	done < sixty
}

got() { [ "$(cat node1 node2 node3 | wc -l)" -ge "$1" ]; }

# What the nodes have got, in the form of all.
log() {
	for k in 1 2 3; do sed "s/^/$k /" node$k; done
}

# afresh: no entries, and the nodes have got nothing yet.
afresh() {
	serve_no_more
	conntrack -F 2> flushed || cat flushed
	for k in 1 2 3; do
		serve node$k sink "$(node $k)" $port
	done
}

# The entries that there are: zone, client's address and port.
entries() { flows "-$f" | sed 's/^zone=\([0-9]*\) .* orig=\([^ ]* [0-9]*\) .*/\1 \2/'; }

# shape NAME WHAT
shape() {
	afresh
	all "$1" > wanted
	awk -v to="$vip $port" '{ print "udp send -s", $2, "-p", $3, to, $4 }' wanted > sends
	on client sh ./sends
	wait_for 30 got "$(wc -l < wanted)"
	sort wanted > a
	log | sort > b
	check "IPv$f: $2: each at its node, from the client's own port" diff a b
	awk '{ print 1000 + $1, $2, $3 }' wanted | sort -u > a
	entries | sort > b
	check "IPv$f: $2: one entry for each client and node" diff a b
}

sixty_clients() {
	afresh
	on client forge udp -n 60 -p 60 "$client" 30000 "$vip" $port $client_hello
	wait_for 30 got 60
	log | awk '{ print $2, $3, $1 }' > sixty
	is "IPv$f: sixty clients, of all three nodes" \
		"$(wc -l < sixty) $(cut -d ' ' -f 3 sixty | sort -u | xargs)" "60 1 2 3"
	shape finished_in_flight "hello, Finished in the flight, a CID of another node, hello"
	shape cid_first "CID, hello that hashes to its node, CID"
}

# Ten thousand clients.

# The nodes of these are seventeen addresses of one namespace; the balancer other has
# them all itself, and another way to the clients.
others() {
	cat <<-END
	netns add other
	link add other address 02:00:00:00:03:01 type veth peer name eth1 netns client
	link set other netns other
	END
}

other_side() {
	cat <<-END
	link set lo up
	link set other addrgenmode none up
	addr add 203.0.113.1/32 dev lo
	addr add 2001:db8:3::1/128 dev lo nodad
	END
}

farm_side() {
	for k in $(seq 11 27); do
		echo "addr add 192.0.2.2$k/32 dev lo"
		echo "addr add 2001:db8:2:1::2$k/128 dev lo nodad"
	done
}

farm_network() {
	others | ip -batch - || return
	other_side | ip -n other -batch - || return
	ip -n client -batch - <<-END || return
	link set eth1 address 02:00:00:00:03:10 addrgenmode none up
	neigh add 203.0.113.1 lladdr 02:00:00:00:03:01 dev eth1
	neigh add 2001:db8:3::1 lladdr 02:00:00:00:03:01 dev eth1
	route add 203.0.113.1 dev eth1
	route add 2001:db8:3::1 dev eth1
	END
	for space in node1 other; do
		farm_side | ip -n $space -batch - || return
	done
	ip -batch - <<-END
	route add 192.0.2.128/25 via 192.0.2.11
	route add 2001:db8:2:1::/64 via 2001:db8:2::11
	END
}

# sinks NAMESPACE: how many listen there.
sinks() {
	on "$1" cat /proc/net/udp /proc/net/udp6 | grep -c "$(printf ':%04X [0:]*0000' "$port")"
}

seventeen() { [ "$(sinks "$1")" -eq 17 ]; }

# Their output is emptied more than once, so it is appended to.
start_farm() {
	for space in node1 other; do
		for k in $(seq 17); do
			ip netns exec $space udp sink "$(farm "$k")" $port >> "$space.$k" &
			served="$served $!"
		done
		wait_for 30 seventeen $space
	done
}

# farm_nodes K...: as a rule says them.
farm_nodes() {
	for k; do echo "--node $k=$(farm "$k")"; done | xargs
}

farm() { echo "$farm$((10 + $1))"; }

everybody() { [ "$(cat "$1".[0-9]* | wc -l)" -ge "$clients" ]; }

# spread NAMESPACE ADDRESS FILE: a hello of every client, and in the file which node
# it came to: address, port, node.
spread() {
	conntrack -F 2> flushed
	on other conntrack -F 2> flushed
	for k in $(seq 17); do : > "$1.$k"; done
	on client forge udp -n $clients -p 4 "$first" 1024 "$2" $port $client_hello
	wait_for 60 everybody "$1"
	for k in $(seq 17); do
		sed "s/ [0-9a-f]*$/ $k/" "$1.$k"
	done | sort > "$3"
	is "IPv$f: $3: each of $clients clients comes to a node" \
		"$(cut -d ' ' -f 1,2 "$3" | sort -u | wc -l)" $clients
}

# moved FILE FILE: of clients whose node is not the same in both, the two.
moved() {
	awk 'NR == FNR { was[$1 " " $2] = $3; next }
		was[$1 " " $2] != $3 { print was[$1 " " $2], $3 }' "$1" "$2"
}

# of NODE FILE: how many clients are its.
of() { awk -v k="$1" '$3 == k' "$2" | wc -l; }

# share WHAT NODE FILE FROM TO: in hundredths of a percent.
share() {
	part=$(($(of "$2" "$3") * 10000 / clients))
	check "IPv$f: $1: $part of 10000" test $part -ge "$4" -a $part -le "$5"
}

# Each rule comes in place of the one before; the flows of that are gone, or they
# would keep their clients.
ten_thousand() {
	all=$(farm_nodes 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
	# shellcheck disable=SC2086 # words
	fewer=$(echo $all | sed 's/--node 7=[^ ]* //')
	table "$vip" --hash-key $key "$all" | "$tables-restore"
	spread node1 "$vip" sixteen
	table "$vip" --hash-key $key "$fewer" | "$tables-restore"
	spread node1 "$vip" without-7
	is "IPv$f: without node 7: no client of another node moves" \
		"$(moved sixteen without-7 | grep -vc '^7 ')" 0
	check "IPv$f: without node 7: its clients go to many" \
		test "$(moved sixteen without-7 | sort -u | wc -l)" -gt 10
	table "$vip" --hash-key $key "$all" "$(farm_nodes 17)" | "$tables-restore"
	spread node1 "$vip" seventeen
	is "IPv$f: with node 17: clients move nowhere else" \
		"$(moved sixteen seventeen | grep -vc ' 17$')" 0
	share "with node 17: it gets a seventeenth, 588" 17 seventeen 488 688
	table "$vip" --hash-key $key "$(farm_nodes 1),weight=3 $(farm_nodes 2)" | "$tables-restore"
	spread node1 "$vip" weighted
	share "with weights of 3 and 1: the second gets a quarter, 2500" 2 weighted 2300 2700
}

# The other balancer, which has never heard of the one.
two_balancers() {
	all=$(farm_nodes 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
	table "$other" --hash-key $key "$all" | on other "$tables-restore"
	spread other "$other" same-key
	is "IPv$f: another balancer with the same key chooses the same" \
		"$(moved sixteen same-key | wc -l)" 0
	on other "$tables" -t raw -F
	table "$other" --hash-key $other_key --name another "$all" | on other "$tables-restore"
	spread other "$other" other-key
	check "IPv$f: with another key, fifteen sixteenths, 9375: $(moved sixteen other-key | wc -l)" \
		test "$(moved sixteen other-key | wc -l)" -gt 9200
	on other "$tables" -t raw -F
}

modprobe nf_conntrack
sysctl -q -w net.netfilter.nf_conntrack_max=100000 net.core.rmem_default=16000000
topology 3
farm_network
for f in 4 6; do
	family $f
	case $f in
	4) first=10.0.0.1 farm=192.0.2.2 other=203.0.113.1 ;;
	6) first=fd00::1 farm=2001:db8:2:1::2 other=2001:db8:3::1 ;;
	esac
	three=$(for k in 1 2 3; do echo "--node $k=$(node $k)"; done | xargs)
	table "$vip" "$three" | "$tables-restore"
	there_and_back
	sixty_clients
	serve_no_more
	"$tables" -t raw -F
	if at_length $f; then
		start_farm
		ten_thousand
		two_balancers
		serve_no_more
	fi
	"$tables" -t raw -F
	conntrack -F 2> flushed
done
topology_down
finish
