# SPDX-License-Identifier: GPL-2.0-only
# Entries against forged datagrams, a line per contender; variables: data, svg.
# data: NAME FORGED ENTRIES, those of a name together.
set terminal svg size 800,360 font "sans-serif,13" background "white"
set output svg
set title "Entries in conntrack, as datagrams from forged addresses come"
set xlabel "datagrams"
set yrange [0:*]
set format "%.0f"
set grid ytics lc rgb "#dddddd"
set key outside right
plot for [name in "u32 DTLSCID"] "< grep '^" . name . "\t' " . data using 2:3 with linespoints pt 7 lw 2 \
	title name eq "DTLSCID" ? "DTLSCID, --max-flows 4096" : "u32 and DNAT"
