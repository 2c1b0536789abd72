#!/bin/bash
# An operator drains, disables and weighs backends by a command on any node: all nodes do it, connections don't
# notice, whatever the routers do, and it outlives restarts of one and of all nodes.
source "$(dirname "$0")/../lib/scenario.sh"
overrides_of() { lbctl "$1" overrides --json | jq -e "$2"; }
repair() {
    local b
    for b in +/be1 +/be2 +/be3; do override lb1 $b=none; done
    for x in $(names lb "$NODES"); do start_programs "$x"; done
    wait_for 30 "no overrides" overrides_of lb3 '. == []'
    wait_for 60 "the cluster to be whole" all_in_cluster
}
at_exit repair
all_have() { # BACKEND STATE WEIGHT
    local x
    for x in $(names lb "$NODES"); do
        ! backends_of "$x" ".name == \"$1\" and (.state != \"$2\" or .weight != $3)" || return 1
    done
}
share_of() { # BACKEND: of new connections to all VIPs, in percent
    client "$BIN/integration/flowload" --json -c 2000 -s 1 -r 2 $(all_targets) |
        jq ".backends[\"$1\"] // 0 | . * 100 / 2000 | round"
}

wait_for 60 "the cluster" all_in_cluster
start_load 5000 100
sleep 2 # their records are out

override lb1 +/be2=drain --by ann --reason "new disk" || fail "it was refused"
wait_for 2 "all nodes to drain be2" all_have be2 drained 0
pass "a backend was drained on one node, and so on all"
check "another node lists it, with author and reason" overrides_of lb3 \
    '.[0] | .target == "+/be2" and .action == "drain" and .author == "ann" and .reason == "new disk"'
check "it gets no new flow" gets_no_new_flows be2
rehash
sleep 2
kill_node lb3
sleep 2
return_node lb3
wait_for 10 "lb3 to know of the drain" all_have be2 drained 0
pass "a node that lost its memory knows of it"
rehash
sleep 2

override lb2 +/be2=weight:10
wait_for 2 "a newer word to count" all_have be2 up 10
share=$(share_of be2)
check "a tenth of its weight is a tenth of its share ($share % of new connections, of 3.2 %)" [ "$share" -le 6 ]
override lb3 ipip/be3=drain --for 3
wait_for 2 "be3 to be drained in one pool" backends_of lb1 '.pool == "ipip" and .name == "be3" and .state == "drained"'
check "and not in the other" backends_of lb1 '.pool == "gue" and .name == "be3" and .state == "up"'
wait_for 6 "the drain to end by itself" all_have be3 up 100
pass "an override ends when its time is up"

for x in $(names lb "$NODES"); do kill_programs "$x"; done
for x in $(names lb "$NODES"); do for p in $(programs); do wait_for 5 "$p to end" is_dead "$(pid_of "$x" "$p")"; done; done
for x in $(names lb "$NODES"); do start_programs "$x"; done
wait_for 60 "the cluster to be whole" all_in_cluster
check "it outlives the restart of all nodes at once" all_have be2 up 10
plans_of() { in_ns "$1" curl -s http://127.0.0.1:9160/metrics | awk '$1 == "holdfast_plans_total" { print $2 }'; }
before=$(plans_of lb2) began=${EPOCHREALTIME/./}
# So many at once, for they are to be one burst, and the last one last.
for i in $(seq 99); do
    override lb1 +/be2=weight:$((i + 10)) >/dev/null &
    [ $((i % 20)) != 0 ] || wait $(jobs -p | grep -v "^$LOAD$")
done
wait $(jobs -p | grep -v "^$LOAD$")
override lb1 +/be2=weight:110
wait_for 5 "the last of a hundred weights to count" all_have be2 up 110
changes=$(($(plans_of lb2) - before)) took=$(((${EPOCHREALTIME/./} - began) / 1000))
check "a hundred changes in $took ms are $changes changes of the tables" [ "$changes" -le $((took / 250 + 2)) ]
override lb1 +/be2=none
wait_for 2 "all nodes to have forgotten it" all_have be2 up 100
stop_load

# Its connections are not kept, unlike a drained one's.
start_load 1000 60
sleep 2
override lb1 +/be1=disable
broken() { [ "$(client ss -Htn state established '( dport = :80 )' | wc -l)" -lt 1000 ] || grep -q 'be1$' "$SCRATCH/load.log"; }
wait_for 10 "connections to a disabled backend to end" broken
pass "a disabled backend loses its connections"
kill -TERM "$LOAD"
wait "$LOAD" || true
LOAD=
check "and nobody else does" jq -e '.broken + .stalled == (.lost.be1 // 0)' "$SCRATCH/load.json"
refused() { ! override lb1 "$1" 2>"$SCRATCH/override" && grep -q "$2" "$SCRATCH/override"; }
check "what is no override is refused, and why" refused +/be77=drain "no such backend"
