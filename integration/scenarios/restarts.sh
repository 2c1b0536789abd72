#!/bin/bash
# 2,000 connections survive ten restarts of every node's agent, killed or stopped, each of which puts
# a new program in the old one's place, between two packets.
source "$(dirname "$0")/../lib/scenario.sh"

program_of() { in_ns "$1" ip -j link show spine1 | jq '.[0].xdp.attached[0].prog.id // .[0].xdp.prog.id'; }

restart_dead() { local x; for x in $(names lb "$NODES"); do is_alive "$x" lbnode || restart_lbnode "$x"; done; }
at_exit restart_dead
start_load 2000 170
for round in {1..10}; do
    for x in $(names lb "$NODES"); do
        signal=KILL
        [ $((round % 2)) = 0 ] || signal=TERM
        before=$(program_of "$x")
        stop_lbnode "$x" $signal
        restart_lbnode "$x"
        [ "$(program_of "$x")" != "$before" ] || fail "$x runs program $before as before"
    done
    is_running "$LOAD" || fail "the load has ended before the restarts"
    pass "round $round of SIG$signal: new programs on all nodes"
done
stop_load
check "and hardly a packet was sent twice" [ "$(jq .retransmits "$SCRATCH/load.json")" -lt 20 ]
