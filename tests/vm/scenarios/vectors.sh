#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every vector as a datagram: the rules for the kinds of records it holds count
# it, and no others.  Vector N goes to port 10000 + N, and each port has a rule
# for every kind, one for a CID, and one for the datagram's node id.
. lib.sh

kinds='cid client-hello handshake encrypted alert ack other malformed mixed not-dtls'

numbered() {
	awk '{ print 10000 + NR, $0 }' expected
}

rule() {
	echo "-A PREROUTING -p udp --dport $port $* -m comment --comment $text"
}

rules() {
	echo '*raw'
	numbered | while read -r port _ length _ version id _; do
		for text in $kinds; do
			rule -m dtlscid --cid-length "$length" --record "$text"
		done
		text=any-cid
		rule -m dtlscid --cid-length "$length"
		[ "$version" = - ] || {
			text=node-$id
			rule -m dtlscid --cid-length "$length" --node-id "$id" --dtls-version "1.$version"
		}
		text=seen
		rule
	done
	echo COMMIT
}

send() {
	numbered | while read -r port _ _ _ _ _ hex; do
		on client udp send "$vip" "$port" "${hex#-}"
	done
}

# "PORT COMMENT..." of the rules that counted
counted() {
	"$tables" -t raw -nvxL PREROUTING | awk '
		$1 ~ /^[1-9]/ && match($0, /dpt:[0-9]+/) {
			port = substr($0, RSTART + 4, RLENGTH - 4)
			match($0, /\/\* .* \*\//)
			hit[port] = hit[port] " " substr($0, RSTART + 3, RLENGTH - 6)
		}
		END { for (port in hit) print port hit[port] }' | sort -n
}

all_seen() {
	[ "$(counted | grep -c 'seen$')" = "$(numbered | wc -l)" ]
}

wanted() {
	echo "$1" | tr ',' ' '
	[ "$2" = - ] || echo "any-cid node-$3"
	echo seen
}

topology 1
for f in 4 6; do
	family $f
	rules > table
	check "IPv$f: rules" "$tables-restore" table
	send
	check "IPv$f: every datagram arrived" wait_for 10 all_seen
	counted > hits
	numbered > cases
	while read -r port name _ what version id _; do
		is "IPv$f: $name is $what" "$(sed -n "s/^$port //p" hits)" \
			"$(wanted "$what" "$version" "$id" | xargs)"
	done < cases
	"$tables" -t raw -F
done
topology_down
finish
