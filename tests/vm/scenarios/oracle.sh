#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# -j DTLSCID judges every vector as the independent parser does, and for each reason
# that a datagram alone can give there is a match that counts the same datagrams.
#
# Nodes 1, 2 and 9 are up, 255 is down.  The vectors of one CID length and one reason
# share a port, a name, and before its rule one rule with a match for each reason.
. lib.sh

matches() {
	cat <<-END
	cid12        --node-id 1,2,9 --dtls-version 1.2 ! --record mixed
	cid13        --node-id 1,2,9 --dtls-version 1.3 ! --record mixed
	unknown-node ! --node-id 1,2,9,255 ! --record mixed
	node-down    --node-id 255 ! --record mixed
	client-hello --record client-hello -m dtlscid --cid-length $1 ! --record cid
	no-cid       ! --record cid,client-hello,malformed,mixed,not-dtls
	malformed    --record malformed
	mixed        --record mixed
	not-dtls     --record not-dtls
	END
}

# reason KINDS VERSION ID
reason() {
	case $1-$2-$3 in
	malformed-* | mixed-* | not-dtls-*) echo "${1%%-*}" | sed 's/^not$/not-dtls/' ;;
	*-[23]-[129]) echo "cid1$2" ;;
	*-[23]-255) echo node-down ;;
	*-[23]-*) echo unknown-node ;;
	*client-hello*) echo client-hello ;;
	*) echo no-cid ;;
	esac
}

# Port, name, CID length, reason, datagram: a line for each vector.
vectors() {
	while read -r _ length kinds version id hex; do
		echo "$length $(reason "$kinds" "$version" "$id") $hex"
	done < expected | awk '
		!($1 $2 in port) { port[$1 $2] = 20000 + ++n }
		{ print port[$1 $2], $1 "-" $2, $0 }'
}

groups() { cut -d ' ' -f 1-4 list | sort -u; }

rules() {
	echo '*raw'
	groups | while read -r port name length _; do
		matches "$length" | while read -r text tests; do
			echo "-A PREROUTING -p udp --dport $port -m dtlscid --cid-length $length $tests" \
				"-m comment --comment $name:$text"
		done
		echo "-A PREROUTING -p udp --dport $port -j DTLSCID --name $name-ipv$f --cid-length $length" \
			"--node 1=$(node 1) --node 2=$(node 1) --node 9=$(node 1) --node 255=$(node 1),down"
	done
	echo COMMIT
}

# What the rules before the target have counted for a name, as REASON=N.
matched() {
	"$tables" -t raw -nvxL PREROUTING |
		sed -n "s/^ *\([1-9][0-9]*\) .*\/\* $1:\([^ ]*\) \*\/.*/\2=\1/p" | xargs
}

topology 1
vectors > list
for f in 4 6; do
	family $f
	rules > table
	check "IPv$f: rules" "$tables-restore" table
	while read -r port _ _ _ hex; do
		echo "udp send $vip $port '${hex#-}'"
	done < list > sends
	on client sh ./sends
	groups > cases
	while read -r port name _ reason; do
		n=$(grep -c "^$port " list)
		wait_for 10 judged "$name-ipv$f" "$n"
		is "IPv$f: $name: $n datagrams, as the independent parser says" \
			"$(news "$name-ipv$f")" "datagrams=$n $reason=$n"
		is "IPv$f: $name: the same by a match" "$(matched "$name")" "$reason=$n"
	done < cases
	"$tables" -t raw -F
done
topology_down
finish
