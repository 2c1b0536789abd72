#!/bin/bash
# What a slot was before it changed is known to an lbnode that was restarted, and to one that came back
# with nothing: packets of flows that nobody knows still name the slot's former backend.
source "$(dirname "$0")/../lib/scenario.sh"
repair() {
    restore_pools
    start_programs lb1
    wait_for 60 "the cluster to be whole" all_in_cluster
}
at_exit repair

# ACKs of flows that never were, and were not seen before; some come to lb1 last, and find a slot that has changed.
flood=0
names_former_backends() {
    local before; before=$(node_counter lb1 last_chances)
    flood=$((flood + 1))
    client "$BIN/integration/flood" --ack --seed $flood -r 2000 -s 2 "$(target_of "${VIPS[0]}" 80)"
    [ "$(node_counter lb1 last_chances)" -gt "$before" ]
}

wait_for 60 "the cluster" all_in_cluster
wait_for 60 "lb1 to be announced" is_announced lb1
remove_backend be1
wait_for 10 "lb1 to reload" says lb1 lbnode '6 backends'
check "slots remember, after a reload" names_former_backends
stop_lbnode lb1 TERM
restart_lbnode lb1
check "and after a restart" names_former_backends
stop_lbnode lb1 TERM
"$BIN/lbnode/lbnode" -i "${PREFIX}lb1" --detach
rm /sys/fs/bpf/holdfast/"${PREFIX}"lb1/* 2>/dev/null || true
restore_pools # while it is away: so it starts with another configuration than it had
restart_lbnode lb1
wait_for 60 "the cluster" all_in_cluster
check "and when all that it had is gone" names_former_backends
