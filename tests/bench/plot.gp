# SPDX-License-Identifier: GPL-2.0-only
# Cost against number of nodes, a line per contender; variables: data, svg.
# data: NAME NODES INSTRUCTIONS, those of a name together.
set terminal svg size 800,420 font "sans-serif,13" background "white"
set output svg
set title "Instructions for a datagram of a live flow, from sender to node"
set xlabel "nodes"
set logscale x 2
set xrange [0.9:300]
set yrange [10000:*]
set format y "%.0f"
set grid ytics lc rgb "#dddddd"
set key outside right
names = system("cut -d ' ' -f 1 " . data . " | uniq")
plot for [name in names] "< grep '^" . name . " ' " . data using 2:3 with linespoints pt 7 lw 2 title name
