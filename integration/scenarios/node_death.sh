#!/bin/bash
# The hard one: a pool changes, a node dies with all that it knows, and every flow is rehashed, within a
# tenth of a second. Then the node returns. No connection on a living backend breaks.
source "$(dirname "$0")/../lib/scenario.sh"
repair() {
    restore_pools
    is_alive lb1 bird || return_node lb1
    wait_for 60 "the cluster to be whole" all_in_cluster
}
at_exit repair

wait_for 60 "the cluster" all_in_cluster
before=$(all_sharing records_exported)
records_are_out() { [ "$(all_sharing records_exported)" -ge "$1" ]; }
start_load 5000 40
wait_for 10 "records of 5,000 flows" records_are_out $((before + 4900))
remove_backend be1 &
kill_node lb1 &
rehash
wait %2 %3
pass "be1 has left the pools, lb1 is dead, and the routers hash anew"
sleep 5
return_node lb1
pass "lb1 is back"
sleep 3
restore_pools
rehash
end_load
