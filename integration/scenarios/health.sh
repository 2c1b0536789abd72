#!/bin/bash
# Backends that die, hang, can't be reached through the tunnel or from one node, and return: all nodes
# come to the same tables in time, and connections to living backends don't notice.
source "$(dirname "$0")/../lib/scenario.sh"
FALL=3 INTERVAL_MS=500
KNOWN_MS=$((FALL * INTERVAL_MS + 500))
repair() {
    local x
    for x in $(names be "$BACKENDS"); do
        kill -CONT "$(pid_of "$x" responder)" 2>/dev/null
        is_alive "$x" lbhost || start_lbhost "$x"
        is_alive "$x" responder || return_backend "$x"
    done
    in_ns lb1 nft delete table inet cut 2>/dev/null
    restore_config
}
at_exit repair

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
verdict_is() { # NODE BACKEND UP
    ! backends_of "$1" ".name == \"$2\" and .verdict_up != $3"
}
all_say() { # BACKEND UP
    local x
    for x in $(names lb "$NODES"); do verdict_is "$x" "$1" "$2" || return 1; done
}
# The table of each node, as a digest that is the same for equal ones.
tables_agree() {
    [ "$(syncd_status lb1 | jq -r '[.members[] | select(.state == "alive") | .tables] | unique | length')" = 1 ]
}
# The figure includes what it takes to ask three nodes.
is_known() { # WHAT BACKEND UP SINCE-MS AIM-MS
    local took
    wait_for 10 "all nodes to know that $2 is $3" all_say "$2" "$3"
    took=$(($(now_ms) - $4))
    wait_for 3 "equal tables" tables_agree
    pass "$1: known to all after $took ms (aim: $5), and all tables are equal"
}
# Connections that broke, but for those to these backends.
broken_but_of() { # BACKEND...
    jq --arg dead "$*" '. as $all | .broken + .stalled - ($dead / " " | map($all.lost[.] // 0) | add)' "$SCRATCH/load.json"
}

check_pools "type: http, through: tunnel, interval: $(jq -n "$INTERVAL_MS / 1000"), fall: $FALL, rise: 2"
for x in $(names be "$BACKENDS"); do wait_for 10 "$x to be up" all_say "$x" true; done
start_load 5000 120
sleep 4 # each has had an answer, and so is known to be some backend's

since=$(now_ms)
kill_backend be2
is_known "a server was killed" be2 false "$since" "$KNOWN_MS"
check "and gets no new flow by any VIP" gets_no_new_flows be2
since=$(now_ms)
return_backend be2
is_known "it is back" be2 true "$since" 5000

# It goes on accepting, but answers no more.
since=$(now_ms)
kill -STOP "$(pid_of be3 responder)"
is_known "a server hangs" be3 false "$since" "$KNOWN_MS"
check "the cause is named" backends_of lb2 '.name == "be3" and (.cause | test("no answer"))'
kill -CONT "$(pid_of be3 responder)"
wait_for 10 "be3 to be up again" all_say be3 true

# Its own address answers all the time; tunnels are not opened any more.
since=$(now_ms)
kill_program be4 lbhost
"$BIN/lbhost/lbhost" -i "${PREFIX}be4" --detach 2>/dev/null
is_known "a backend opens no tunnels, though it answers on its own address" be4 false "$since" "$KNOWN_MS"
check "which it does" in_ns lb1 curl -s -o "$SCRATCH/page" --max-time 2 "$(url_of "$(address4 be4)")"
start_lbhost be4
wait_for 10 "be4 to be up again" all_say be4 true

# One node alone can't reach a backend: it says so, and nothing else changes.
printf 'table inet cut {\n chain out {\n type filter hook output priority 0\n ip daddr %s drop\n }\n chain egress {\n type filter hook postrouting priority 0\n ip daddr %s drop\n }\n}\n' \
    "$(address4 be1)" "$(address4 be1)" >"$SCRATCH/cut"
in_ns lb1 nft -f "$SCRATCH/cut"
wait_for 10 "lb1 to say that it can't reach be1" backends_of lb1 '.name == "be1" and .dissents'
sleep 2
check "one node can't reach a backend, and it stays in all tables" all_say be1 true
check "which are equal" tables_agree
in_ns lb1 nft delete table inet cut
wait_for 10 "lb1 to agree again" backends_of lb1 '.name == "be1" and (.dissents | not)'

# Half of all die.
kill_backend be2
since=$(now_ms)
kill_backend be4
is_known "half of all backends died" be4 false "$since" "$KNOWN_MS"
wait_for 5 "be2's death to be known" all_say be2 false
check "the others get all new flows" gets_no_new_flows be4
kill -TERM "$LOAD"
wait "$LOAD" || true
LOAD=
# be1 is the one that nothing happened to, but that one node could not reach it.
[ "$(broken_but_of be2 be3 be4)" = 0 ] || { head -20 "$SCRATCH/load.log" >&2; fail "connections to living backends broke: $(jq -c "[.connections, .broken, .stalled, .lost, .faults]" "$SCRATCH/load.json")"; }
pass "no connection to a living backend broke: $(jq -c '[.connections, .broken, .lost]' "$SCRATCH/load.json")"

# All of them.
kill_backend be1
kill_backend be3
wait_for 10 "the pools to fail open" backends_of lb3 '.pool_state == "fail-open"'
check "all look dead, so all of them serve" backends_of lb3 '.name == "be1" and .state == "down" and .weight == 100'
check "loudly" grep -q 'all backends look dead' "$RUN/log/lb3-lbnode.log"
