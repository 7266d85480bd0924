#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# dtlscid check: it finds what is wrong, and is silent when the fix that it prints has
# run, or nothing was wrong.
. lib.sh

mkdir bin
cp dtlscid bin/
chmod +x bin/dtlscid
PATH=$PWD/bin:$PATH

port=5684 name=dtlscid

our_rule() { balance "$name" --node "1=$(node 1)" --node "2=$(node 2)"; }

# What check says, but for handles of nft; it is empty if all is well.
found() { dtlscid check > found; sed 's/ handle [0-9]*/ handle N/' found; }

# fixes: the commands, without the faults.
fixes() { sed -E 's/^dtlscid: ([^:]|:[^ ])*: //' found; }

# planted FAULTS COMMAND...: the command makes these faults, a line each.
planted() {
	want=$1
	shift
	"$@"
	is "IPv$f: $*" "$(found)" "$want"
	fixes | sed "s/GATEWAY/$(node 1)/" > fix
	sh fix > log 2>&1
	is "IPv$f: $*: fixed" "$(dtlscid check; echo $?)" 0
}

# silent COMMAND...: that makes no fault.
silent() {
	"$@"
	is "IPv$f: $*: no fault" "$(found)" ""
}

modules() {
	none="dtlscid: no rule has -j DTLSCID: iptables -t raw -A PREROUTING -d VIP -p udp --dport 5684 -j DTLSCID --node ID=ADDR"
	is "no rule" "$(dtlscid check; echo $?)" "$none
1"
	mkdir -p /etc/modprobe.d
	echo 'blacklist xt_DTLSCID' > /etc/modprobe.d/no.conf
	wait_for 20 rmmod xt_DTLSCID 2> err
	is "a module that does not load" "$(found)" \
		"dtlscid: module xt_DTLSCID does not load: modprobe xt_DTLSCID || make install-modules
$none"
	fixes | head -n 1 | sh
	is "a module that does not load: fixed" "$(found)" "$none"
	rm /etc/modprobe.d/no.conf
	plugin=$(find /usr/lib -name libxt_DTLSCID.so)
	mv "$plugin" plugin
	is "no plugin" "$(found | head -n 1)" "dtlscid: iptables has no plugin libxt_DTLSCID.so: make install-extensions"
	mv plugin "$plugin"
}

conntrack_size() {
	table=net.netfilter.nf_conntrack small="is too small for --max-flows of all names, 65536"
	planted "dtlscid: ${table}_max $small: sysctl -w ${table}_max=65536
dtlscid: ${table}_buckets $small: sysctl -w ${table}_buckets=16384" \
		sysctl -q -w ${table}_max=5000 ${table}_buckets=2048
}

# To a client behind a router: another device has the default route.
strict() {
	ip link add uplink type dummy
	ip link set uplink up
	ip route add default dev uplink
	sysctl -q -w net.ipv4.conf.client.rp_filter=1
}

settings() {
	case $f in
	4) key=net.ipv4.ip_forward ;;
	6) key=net.ipv6.conf.all.forwarding ;;
	esac
	planted "dtlscid: $key is 0: sysctl -w $key=1" sysctl -q -w "$key=0"
	[ "$f" = 4 ] || return
	planted "dtlscid: rp_filter of client is strict, and clients are answered through uplink: sysctl -w net.ipv4.conf.client.rp_filter=2" \
		strict
	sysctl -q -w net.ipv4.conf.client.rp_filter=1
	silent ip route replace default via 198.51.100.10 dev client
	ip route delete default
	ip link delete uplink
	sysctl -q -w net.ipv4.conf.client.rp_filter=0
}

# forward RULE...: chain FORWARD is that, and its policy DROP.
forward() {
	"$tables" -F FORWARD
	"$tables" -P FORWARD DROP
	for rule; do
		# shellcheck disable=SC2086 # words
		"$tables" -A FORWARD $rule
	done
}

established="-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
forwarded() {
	planted "dtlscid: chain FORWARD has policy DROP, and no rule for nodes: $tables -I FORWARD -p udp -m conntrack --ctstate DNAT -j ACCEPT" \
		forward "$established" "-p tcp -j ACCEPT" "-p udp --dport 53 -j ACCEPT"
	silent forward "$established" "-d ${nodes}0/24 -m comment --comment tcp -j ACCEPT"
	[ "$f" = 6 ] || silent forward "$established" "-p udp --dport $port -m conntrack --ctstate NEW -j ACCEPT"
	"$tables" -F FORWARD
	"$tables" -P FORWARD ACCEPT
}

# nft_table LINE...: table inet own is that.
nft_table() {
	nft add table inet own
	nft delete table inet own
	printf '%s\n' 'table inet own {' 'flowtable f { hook ingress priority 0; devices = { nodes }; }' "$@" '}' > own.nft
	nft -f own.nft
}
nft_forward() { nft_table 'chain forward {' 'type filter hook forward priority 0; policy drop;' "$@" '}'; }
nft_offload() { nft_table 'chain forward {' 'type filter hook forward priority 0;' "$@" '}'; }
nft_early() { nft_table 'chain early {' 'type filter hook prerouting priority -310;' "$@" '}'; }

nft_chains() {
	stateful='ct state vmap { established : accept, related : accept, invalid : drop }'
	planted "dtlscid: nft chain inet own forward has policy drop, and no rule for nodes: nft insert rule inet own forward meta l4proto udp ct status dnat accept" \
		nft_forward "$stateful" 'tcp dport 22 counter accept' 'udp dport 53 accept'
	silent nft_forward "$stateful" "ip daddr 192.0.2.0/24 accept"
	taken="dtlscid: a flowtable takes flows to nodes, in nft chain inet own forward"
	planted "$taken: nft 'replace rule inet own forward handle N meta l4proto tcp meta l4proto { tcp, udp } flow add @f'" \
		nft_offload 'meta l4proto { tcp, udp } flow add @f'
	silent nft_offload 'meta l4proto tcp flow add @f' 'udp dport 53 flow add @f'
	seen="dtlscid: a rule sees to the tracking of what is for the service, in nft chain inet own early"
	planted "$seen: nft delete rule inet own early handle N" nft_early "udp dport $port notrack"
	planted "$seen: nft 'replace rule inet own early handle N meta l4proto tcp ct zone set 7'" nft_early "ct zone set 7"
	silent nft_early 'tcp dport 80 notrack' 'udp dport 53 notrack' 'iifname "lo" notrack'
	nft delete table inet own
}

# ahead RULE: in table raw, ahead of ours.
ahead() {
	"$tables" -t raw -F
	# shellcheck disable=SC2086 # words
	"$tables" -t raw -A PREROUTING $1
	our_rule
}

own_chain() {
	"$tables" -t raw -F
	"$tables" -t raw -N own
	chain=own our_rule
}

# With what a shell would make something else of.
# shellcheck disable=SC2016 # on purpose
commented() {
	"$tables" -t raw -I PREROUTING -p udp -m comment --comment 'it"s `id` $HOME' -j CT --notrack
}

# answer K: what check says of a rule for what that node answers.
answer() {
	echo "dtlscid: a rule in table raw, -j CT, is for what node $1 answers: $tables -t raw -I PREROUTING -s $(node "$1") -p udp -j ACCEPT"
}

# behind RULE: what check says of it, and where it should be.
behind() {
	echo "dtlscid: a rule of chain PREROUTING in table raw, -j CT, is ahead of ours: $tables -t raw -D PREROUTING $1 && $tables -t raw -A PREROUTING $1"
}

raw_table() {
	rule="-p udp -m udp --dport $port -j CT --zone 7"
	planted "$(behind "$rule")" ahead "$rule"
	silent ahead "-p udp --dport 53 -j CT --notrack"
	"$tables" -t raw -D PREROUTING 1
}

# shellcheck disable=SC2016
own_chains() {
	planted "$(answer 2)" ahead "-s $(node 2) -j CT --notrack"
	planted "$(answer 1; answer 2)" ahead "-p udp --sport $port -j CT --notrack"
	silent ahead "-i lo -j CT --notrack"
	planted "dtlscid: no rule jumps to chain own, which has ours: $tables -t raw -A PREROUTING -j own" own_chain
	planted "$(behind '-p udp -m comment --comment "it\"s \`id\` \$HOME" -j CT --notrack'; answer 1; answer 2)" commented
	"$tables" -t raw -F
	"$tables" -t raw -X
	our_rule
}

# A third node, elsewhere.
third() { balance "$name" --node 3="$far"; }
third_by_default() {
	ip "-$f" route delete "$far"
	ip "-$f" route add default via "$(node 1)"
}

routes() {
	case $f in
	4) far=203.0.113.9 other=198.51.100.77 bits=32 ;;
	6) far=2001:db8:3::9 other=2001:db8:1::77 bits=128 ;;
	esac
	planted "dtlscid: node 3, $far, has no route: ip -$f route replace $far via GATEWAY" third
	planted "dtlscid: node 3, $far, is on the default route, where clients are; its answers will not come back: $tables -t nat -A POSTROUTING -d $far -p udp -j MASQUERADE" \
		third_by_default
	"$tables" -t nat -F
	ip "-$f" route delete default
	silent dtlscid down 3
	"$tables" -t raw -D PREROUTING 2
	planted "dtlscid: $other is no address of this host, so ICMP errors do not reach nodes: ip addr add $other/$bits dev lo" \
		"$tables" -t raw -A PREROUTING -d "$other" -p udp --dport $port -j DTLSCID --node 1="$(node 1)"
	ip addr delete "$other/$bits" dev lo
	"$tables" -t raw -D PREROUTING 2
}

# Rules of DNAT from before are not asked.
nobody() {
	"$tables" -t nat -A PREROUTING -d "$vip" -p udp --dport $port -j DNAT --to-destination "$(node 1)"
	planted "dtlscid: no node of name \"dtlscid\" is up in IPv$f: dtlscid -n 'dtlscid' up 2" dtlscid drain 1 2
	"$tables" -t nat -F
}

topology 2
modules
for f in 4 6; do
	family $f
	our_rule
	[ $f = 6 ] || conntrack_size
	settings
	forwarded
	[ $f = 6 ] || nft_chains
	raw_table
	[ $f = 6 ] || own_chains
	routes
	[ $f = 6 ] || nobody
	"$tables" -t raw -F
done
topology_down
finish
