#!/bin/bash
# A pool changes, and then the routers rehash every flow: nodes that never saw a flow, whose choice is
# another backend now, send it to the right one all the same.
source "$(dirname "$0")/../lib/scenario.sh"
at_exit restore_config

records_are_out() { [ "$(all_sharing records_exported)" -ge "$1" ]; }

before=$(all_sharing records_exported)
start_load 20000 25
wait_for 20 "records of 20,000 flows" records_are_out $((before + 19600))
remove_backend be1
second=$(all_counters second_chances)
rehash
sleep 2
told=$(all_sharing flows_told)
[ "$(all_counters second_chances)" -gt "$second" ] || fail "no flow took a second chance"
pass "$(($(all_counters second_chances) - second)) packets took a second chance; $told flows were told"
quiet=$(all_counters second_chances)
packets=$(all_counters forwarded)
sleep 2
second=$(($(all_counters second_chances) - quiet))
packets=$(($(all_counters forwarded) - packets))
[ $((second * 100)) -lt "$packets" ] || fail "still $second of $packets packets take a second hop"
pass "then $second of $packets packets took a second hop"
end_load
