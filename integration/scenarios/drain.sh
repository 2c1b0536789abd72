#!/bin/bash
# A node is taken out of service under load, and put back: its records are handed over first, it forwards on
# meanwhile, the command tells what it waits for, and no connection notices.
source "$(dirname "$0")/../lib/scenario.sh"
repair() {
    start_programs lb1
    lbctl lb1 undrain node lb1 2>/dev/null
    kill -CONT "$(pid_of lb1 lbbgp)"
    wait_for 60 "the cluster to be whole" all_in_cluster
}
at_exit repair
drain() { lbctl lb1 drain node lb1 "$@"; }
is_no_owner() { syncd_status lb2 | jq -e '.settled and (.members[] | select(.name == "lb1") | .ready | not)'; }

wait_for 60 "the cluster" all_in_cluster
wait_for 60 "lb1 to be announced" is_announced lb1
start_load 5000 40

# Its VIPs stay announced, for lbbgp hangs: then it is never quiet.
kill -STOP "$(pid_of lb1 lbbgp)"
drain --timeout 4 >"$SCRATCH/drain" 2>&1 && fail "it said that it was done while packets came"
check "it says what it waits for" grep -q 'withdraws its VIPs' "$SCRATCH/drain"
check "and that it stays drained" grep -q 'stays drained' "$SCRATCH/drain"
check "it owns no records any more, says another node" is_no_owner
before=$(node_counter lb1 forwarded)
sleep 1
check "and forwards on" [ "$(node_counter lb1 forwarded)" -gt "$before" ]

lbctl lb1 undrain node lb1
kill -CONT "$(pid_of lb1 lbbgp)"
wait_for 30 "lb1 to own records again" is_in_cluster lb1
pass "undrained, it is back"

drain_node lb1
check "it was drained, and stopped" is_dead "$(pid_of lb1 lbnode)"
undrain_node lb1
wait_for 60 "the cluster to be whole" all_in_cluster
pass "it is back"
stop_load
