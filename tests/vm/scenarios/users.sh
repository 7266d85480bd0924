#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID: users who are not root of the balancer, but nobody, or root of a namespace
# of their own.
. lib.sh

port=5684

as_user() { su tcpdump -c "$*"; }

# It says of what is done in it: the answer, the counters, the states.
user_space() {
	cat <<-END
	export XTABLES_LOCKFILE=/tmp/lock.$f
	ip link set lo up
	$tables -t raw -A OUTPUT -p udp --dport $port -j DTLSCID --name own --node 1=$1
	udp send $1 $port $(cid12 1)
	sed -n 's/^datagrams=1 .*/counts/p' /proc/net/xt_dtlscid/own
	echo drain 1 > /proc/net/xt_dtlscid/own
	sed -n 's/.* state=\([a-z]*\) .*/\1/p' /proc/net/xt_dtlscid/own
	ls /proc/net/xt_dtlscid
	END
}

users() {
	name=host$f
	replace "$name" "$(first_nodes 2)"
	file=/proc/1/net/xt_dtlscid/$name
	for way in sh 'unshare -Urn sh'; do
		check "IPv$f, $way: another user cannot read the balancer's state" \
			refused as_user "$way -c 'cat $file'"
		check "IPv$f, $way: nor write there" refused as_user "$way -c 'echo drain 1 > $file'"
	done
	# The file is his, as he has the number of the one whom it belongs to.
	check "IPv$f: nor can root read it who has given up his capabilities here" \
		refused unshare -Ur cat "$file"
	user_space "$([ "$f" = 4 ] && echo 127.0.0.1 || echo ::1)" > space
	is "IPv$f: root of another user namespace has rules and names there" \
		"$(as_user "unshare -Urn sh ./space" | xargs)" "counts drain own"
	is "IPv$f: the balancer's state is as it was" \
		"$(sed -n 's/.* state=\([a-z]*\) .*/\1/p' "$file" | xargs)" "up up"
	forget
}

# refused COMMAND...: whether it has no right to.
refused() { ! "$@" > said 2>&1 && grep -q -e 'Permission denied' -e 'not permitted' said; }

topology 2
for f in 4 6; do
	family $f
	users
done
topology_down
finish
