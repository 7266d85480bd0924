#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j LBSP: how clients are shared out, and who moves when a server goes.
#
# 4,000 clients, a flow each, to servers that are addresses of one node: conntrack says who
# got which.
. lib.sh

clients=4000 port=80
key=f0e1d2c3b4a5968778695a4b3c2d1e0f

many_addresses() {
	for k in 2 3 4 5 6 7 8; do
		echo "address add $(node $k)/64 dev eth0 nodad" >> on-node
		echo "neigh add $(node $k) lladdr 02:00:00:00:02:11 dev nodes" >> on-balancer
	done
	ip -n node1 -batch on-node
	ip -batch on-balancer
}

# flood OPTION...: the clients' first datagrams; then "PORT SERVER" of each in the file of
# that name, the port being the client's.
flood() {
	file=$1
	shift
	conntrack -F 2> flushed
	on client lbsp flood "$@" -p 10000 -1 2001:db8:c::1:0 $clients "$vip" "$port"
	wait_for 30 all_came
	flows -6 | sed 's/.*orig=[^ ]* \([0-9]*\) .*reply=\([^ ]*\) .*/\1 \2/' | sort > "$file"
}
all_came() { [ "$(flows -6 -c)" -ge "$clients" ]; }

# points FILE SERVER WEIGHT OF: how far its share is from what its weight says, in hundredths.
points() {
	awk -v server="$2" -v w="$3" -v of="$4" '$2 == server { n++ }
		END { d = 10000 * n / NR - 10000 * w / of; printf "%d\n", d < 0 ? -d : d }' "$1"
}

# shares FILE WEIGHTS: each within three points.
shares() {
	total=$(echo "$2" | tr ' ' '\n' | awk '{ n += $1 } END { print n }')
	k=0
	for weight in $2; do
		k=$((k + 1))
		off=$(points "$1" "$(node $k)" "$weight" "$total")
		check "$3: server $k, weight $weight of $total: off by $off/100 of a point" \
			test "$off" -le 300
	done
}

rule() {
	printf '%s\n' '*nat' '-F PREROUTING' \
		"-A PREROUTING -d $vip -j LBSP --hash-key $key --timeout 300,300 $*" COMMIT |
		ip6tables-restore -n
}

# moved FILE FILE: the clients that have another server, and how many of them had server 8.
moved() {
	awk -v gone="$(node 8)" 'NR == FNR { had[$1] = $2; next }
		had[$1] != $2 { n++; g += had[$1] == gone }
		END { print n + 0, g + 0 }' "$1" "$2"
}

family 6
topology 1
lbsp_counters
many_addresses
modprobe nf_conntrack
echo 20000 > /proc/sys/net/netfilter/nf_conntrack_max

rule "$(servers 8)"
flood all
is "all clients have a server" "$(wc -l < all)" $clients
shares all "1 1 1 1 1 1 1 1" "8 servers"
news lbsp > counted
flood again
is "the same clients once more: as before" "$(diff all again)" ""
is "all are new ones" "$(news lbsp)" "packets=$clients new=$clients"

port=443
flood another-port
others=$(moved all another-port | cut -d ' ' -f 1)
check "another port is another service: of $clients clients $others have another server" \
	test "$others" -gt $((clients * 84 / 100)) -a "$others" -lt $((clients * 91 / 100))
port=80

rule "$(servers 7)"
flood fewer
of8=$(grep -c " $(node 8)$" all)
is "7 of 8 servers: none but the clients of the 8th move" "$(moved all fewer)" "$of8 $of8"
shares fewer "1 1 1 1 1 1 1" "7 servers"
rule "$(servers 8)"
flood back
is "8 servers again: all are back" "$(diff all back)" ""

rule "$(servers 7),weight=3 --server $(node 8),weight=0"
flood heavy
shares heavy "1 1 1 1 1 1 3 0" "weights"

rule "$(servers 8)"
flood by-source -e none
is "without the option: one source address, one server" "$(awk '{ print $2 }' by-source | sort -u | wc -l)" 1
forget
finish
