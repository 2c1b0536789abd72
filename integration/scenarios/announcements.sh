#!/bin/bash
# A VIP is announced by a node exactly while it can serve it, whoever dies, hangs, or meddles; seen in the kernels of a
# spine by BIRD and, in a lab with --frr, of one by FRR. No connection breaks meanwhile.
source "$(dirname "$0")/../lib/scenario.sh"
source integration/lib/announce.sh
repair() {
    kill -CONT "$(pid_of lb1 lbnode)" "$(pid_of lb1 lbbgp)" "$(cat "$RUN/lb1/bird.pid")" 2>/dev/null || true
    [ ! -e "$RUN/lb1/bird.conf.kept" ] || mv "$RUN/lb1/bird.conf.kept" "$RUN/lb1/bird.conf"
    kill -0 "$(cat "$RUN/lb1/bird.pid")" 2>/dev/null || start_bird lb1
    start_programs lb1
    bird_lb1 configure >/dev/null
    lbbgp lb1 --undrain 2>/dev/null
    lbbgp lb1 --undrain="${VIPS[0]}" 2>/dev/null
    restore_config
    reload_lbbgp lb1
    wait_for 60 "the cluster to be whole" all_in_cluster
    wait_for 90 "lb1 to be announced" is_announced lb1
}
at_exit repair
bird_lb1() { birdc -s "$RUN/lb1/bird.ctl" "$@"; }
end_program() { # NODE PROGRAM
    local pid; pid=$(pid_of "$1" "$2")
    kill -9 "$pid"
    wait_for 10 "$2 on $1 to be dead" is_dead "$pid"
}
gone() { fib_time gone "$ALL_VIPS" "$@"; }
there() { fib_time there "$ALL_VIPS" "$@"; }
is_there() { in_ns spine1 ip route show "$1" | grep -qw "dev lb1"; } # VIP
timed() { # WHAT COMMAND...: and how long it took, by spine
    local what=$1 times
    times=$("${@:2}") || fail "$what: $times"
    pass "$what: $times ms"
}

wait_for 60 "the cluster" all_in_cluster
wait_for 60 "lb1 to be announced" is_announced lb1
start_load 2000 150

# Leases, of ten seconds first.
withdrawals() { grep -c withdrawing "$RUN/log/lb1-lbbgp.log" || true; }
before=$(withdrawals)
end_program lb1 lbnode
restart_lbnode lb1
check "a restart of lbnode is no reason to withdraw" stays 2 is_announced lb1
check "nor was it one" [ "$(withdrawals)" = "$before" ]
edit_config lb1 's/^bgp:/bgp:\n    lease_time: 2/'
reload_node lb1
reload_lbbgp lb1
before=$(node_counter lb1 forwarded)
timed "a wedged lbnode loses its lease" gone lb1 kill -STOP "$(pid_of lb1 lbnode)"
check "the data plane has forwarded until then" [ "$(node_counter lb1 forwarded)" -gt "$before" ]
check "and lbbgp says why" bgp_problem lb1 'does not renew its lease'
timed "and has it again when it goes on" there lb1 kill -CONT "$(pid_of lb1 lbnode)"
# What follows is not about leases, so a machine that is slow for two seconds must not end one.
restore_config
reload_lbbgp lb1
timed "an lbnode that ends the data plane has the VIPs withdrawn first" gone lb1 bash -c \
    "kill $(pid_of lb1 lbnode); while kill -0 $(pid_of lb1 lbnode) 2>/dev/null; do sleep 0.01; done; \
    $BIN/lbnode/lbnode -i ${PREFIX}lb1 --detach 2>/dev/null"
start_lbnode lb1
wait_for 60 "the cluster" all_in_cluster
wait_for 20 "lb1 to be announced" is_announced lb1
pass "and they are back with it"

# The driver itself.
timed "nobody holds the device of a killed lbbgp" gone lb1 kill -9 "$(pid_of lb1 lbbgp)"
start_lbbgp lb1
wait_for 20 "lb1 to be announced" is_announced lb1
before=$(pid_of lb1 lbbgp)
# It watches from before the hand-over on, and finds nothing.
FIB_PATIENCE=4 fib_time gone "${VIPS[0]}" lb1 true >"$SCRATCH/watch" &
watch=$!
start_lbbgp lb1
wait_for 10 "the former lbbgp to end" is_dead "$before"
if wait $watch; then fail "it was withdrawn for a moment: $(cat "$SCRATCH/watch")"; fi
pass "a successor takes over without a withdrawal"
check "and says that all is well" wait_for 5 "it" bgp_is_well lb1
timed "somebody takes the device away" gone lb1 nsenter --net=/run/netns/${PREFIX}lb1 ip link del holdfast0
wait_for 10 "lbbgp to end" is_dead "$(pid_of lb1 lbbgp)"
pass "and lbbgp ends, to be started anew"
start_lbbgp lb1
wait_for 20 "lb1 to be announced" is_announced lb1

# As under systemd, which keeps the device while it starts lbbgp again.
kill_program lb1 lbbgp
wait_for 10 "lbbgp to be dead" is_dead "$(pid_of lb1 lbbgp)"
start_daemon lb1 keeper /usr/bin/python3 "$TOP/integration/keeper.py" "$RUN/lb1/lbbgp.pid" "$BIN/bgp/lbbgp" \
    --instance "${PREFIX}lb1" --user "$BGP_USER" --config "$RUN/lb1/holdfast.yaml"
at_exit 'kill "$(pid_of lb1 keeper)" 2>/dev/null'
wait_for 20 "lb1 to be announced" is_announced lb1
wait_for 10 "lbbgp to be content" bgp_is_well lb1
before=$(pid_of lb1 lbbgp)
if FIB_PATIENCE=3 fib_time gone "${VIPS[0]}" lb1 kill -9 "$before" >"$SCRATCH/watch"; then fail "it was withdrawn: $(cat "$SCRATCH/watch")"; fi
pass "a killed lbbgp whose device is kept withdraws nothing"
wait_for 10 "the next lbbgp to be content" bgp_is_well lb1
check "and the next one took it over" [ "$(pid_of lb1 lbbgp)" != "$before" ]
kill "$(pid_of lb1 keeper)"
wait_for 10 "lb1 to be withdrawn" is_withdrawn lb1
pass "when nobody keeps it any more, all is withdrawn"
wait_for 10 "lbbgp to end" is_dead "$(pid_of lb1 lbbgp)"
start_lbbgp lb1
wait_for 20 "lb1 to be announced" is_announced lb1

# BIRD.
timed "BIRD is killed" gone lb1 kill -9 "$(cat "$RUN/lb1/bird.pid")"
check "and lbbgp says so" wait_for 5 "it" bgp_problem lb1 "can't reach BIRD"
timed "and started again" there lb1 bash -c "source scripts/common.sh; source integration/lib/topology.sh;
    source integration/lib/network.sh; source integration/lib/bird.sh; start_bird lb1"
wait_for 10 "lbbgp to be content" bgp_is_well lb1
timed "BIRD hangs" gone lb1 kill -STOP "$(cat "$RUN/lb1/bird.pid")"
check "and lbbgp says so" wait_for 5 "it" bgp_problem lb1 'does not answer'
timed "and goes on" there lb1 kill -CONT "$(cat "$RUN/lb1/bird.pid")"
wait_for 10 "lbbgp to be content" bgp_is_well lb1

# BIRD's routes to the backends came and went with it, three times or so, which would be damped: a new lbbgp knows of none.
kill_program lb1 lbbgp
wait_for 10 "lbbgp to be dead" is_dead "$(pid_of lb1 lbbgp)"
start_lbbgp lb1
lb1_is_well() { is_announced lb1 && bgp_is_well lb1; }
wait_for 20 "lb1 to be well" lb1_is_well

# Somebody meddles.
echo 'protocol static holdfast4 { ipv4; } protocol static holdfast6 { ipv6; }' >"$RUN/lb1/bgp/vips.conf"
bird_lb1 configure >/dev/null
wait_for 10 "the include to be restored" grep -q "${VIPS[0]}" "$RUN/lb1/bgp/vips.conf"
check "a wrong file in its place is put right" wait_for 10 "the VIPs" is_announced lb1
check "and counted" bgp_is lb1 '.counters.restored > 0'
cp "$RUN/lb1/bird.conf" "$RUN/lb1/bird.conf.kept"
echo 'this is nothing' >>"$RUN/lb1/bird.conf"
lbbgp lb1 --drain 2>/dev/null
check "a fault in bird.conf is told, with its line" wait_for 5 "it" bgp_problem lb1 "bird.conf:$(wc -l <"$RUN/lb1/bird.conf")"
wait_for 10 "lb1 to be withdrawn" is_withdrawn lb1
pass "but does not keep a node from withdrawing all"
lbbgp lb1 --undrain 2>/dev/null
cp "$RUN/lb1/bird.conf.kept" "$RUN/lb1/bird.conf"
check "and when it is mended, all is as it should be" wait_for 10 "it" is_announced lb1
wait_for 10 "lbbgp to be content" bgp_is_well lb1
# An unfinished edit, when a VIP changes: it must not come in force.
# Not by what BIRD says of its last one, which it computes anew each time, and which so differs by a millisecond.
configured() { grep -c Reconfigured "$RUN/log/lb1-bird.log"; }
before=$(configured)
is_as_before() { [ "$(configured)" = "$before" ]; }
sed -i '/include/d' "$RUN/lb1/bird.conf"
lbbgp lb1 --drain="${VIPS[0]}" 2>/dev/null
wait_for 5 "it to be told" bgp_problem lb1 'does not include'
check "an edit that lacks the include is not put in force, not even when the drain is over" stays 3 is_as_before
check "and told" bgp_problem lb1 'does not include'
check "so others stay" is_there "${VIPS[2]}"
lbbgp lb1 --undrain="${VIPS[0]}" 2>/dev/null
bird_lb1 configure >/dev/null
check "an include that was left out is told" wait_for 10 "it" bgp_problem lb1 'does not include'
cp "$RUN/lb1/bird.conf.kept" "$RUN/lb1/bird.conf"
check "and taken up again" wait_for 10 "it" is_announced lb1
sed -i "/^filter holdfast_out/a if net = ${VIPS[0]}/32 then reject;" "$RUN/lb1/bird.conf"
bird_lb1 configure >/dev/null
check "a filter that eats a VIP is told" wait_for 10 "it" bgp_problem lb1 "for instance not ${VIPS[0]}"
mv "$RUN/lb1/bird.conf.kept" "$RUN/lb1/bird.conf"
bird_lb1 configure >/dev/null
wait_for 10 "lbbgp to be content" bgp_is_well lb1
is_ready_again() { is_announced lb1 && bgp_is_well lb1; }
wait_for 10 "lb1 to be announced" is_ready_again
# What somebody tries, and BIRD takes back, nobody confirms: neither at once, nor by having it read again.
cp "$RUN/lb1/bird.conf" "$RUN/lb1/bird.conf.kept"
sed -i "/^filter holdfast_out/a if net = ${VIPS[0]}/32 then reject;" "$RUN/lb1/bird.conf"
bird_lb1 configure timeout 4 >/dev/null
check "that somebody tries a configuration is told" wait_for 3 "it" bgp_problem lb1 'tries a configuration'
check "and left to them, so BIRD takes it back" wait_for 10 "the former one" is_ready_again
check "for good" stays 3 is_announced lb1
mv "$RUN/lb1/bird.conf.kept" "$RUN/lb1/bird.conf"
marked() { bird_lb1 show route all protocol holdfast4 "${VIPS[0]}/32" | grep -q '(65535, *0)'; }
lbbgp lb1 --drain="${VIPS[0]}" 2>/dev/null
wait_for 5 "the mark" marked
bird_lb1 configure undo >/dev/null
check "what somebody has undone of lbbgp's is done again, a mark, too" wait_for 5 "the mark" marked
lbbgp lb1 --undrain="${VIPS[0]}" 2>/dev/null
wait_for 10 "lb1 to be announced" is_ready_again

# Everything at once.
timed "every daemon of a node is killed" gone lb1 kill -9 "$(pid_of lb1 lbnode)" "$(pid_of lb1 syncd)" \
    "$(pid_of lb1 lbbgp)" "$(cat "$RUN/lb1/bird.pid")"
for x in lbnode syncd lbbgp; do wait_for 10 "$x to be dead" is_dead "$(pid_of lb1 "$x")"; done
start_bird lb1
start_programs lb1
wait_for 60 "the cluster to be whole" all_in_cluster
wait_for 30 "lb1 to be announced" is_announced lb1
stop_load
