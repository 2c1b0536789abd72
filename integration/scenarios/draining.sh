#!/bin/bash
# Drains under 5,000 connections, by a VIP, by a node, by lbnode's own drain, and of all nodes at once: spines take other
# ways by GRACEFUL_SHUTDOWN first, then the VIPs are withdrawn; the drain outlives lbbgp; no connection breaks.
source "$(dirname "$0")/../lib/scenario.sh"
source integration/lib/announce.sh
repair() {
    local x
    for x in $(names lb "$NODES"); do
        start_programs "$x"
        lbbgp "$x" --undrain 2>/dev/null
        for vip in "${VIPS[@]}"; do lbbgp "$x" --undrain="$vip" 2>/dev/null; done
        lbctl "$x" undrain node "$x" 2>/dev/null
    done
    restore_config
    for x in $(names lb "$NODES"); do reload_lbbgp "$x"; wait_for 30 "$x to be announced" is_announced "$x"; done
}
at_exit repair
vip=${VIPS[0]}
state_is() { bgp_is "$1" "[.vips[] | select(.address == \"$2\") | .state] == [\"$3\"]"; } # NODE VIP STATE
all_state_is() { bgp_is "$1" "all(.vips[]; .state == \"$2\")"; }                           # NODE STATE

wait_for 60 "the cluster" all_in_cluster
for x in $(names lb "$NODES"); do wait_for 60 "$x to be announced" is_announced "$x"; done
for x in $(names lb "$NODES"); do
    edit_config "$x" 's/drain_time: .*/drain_time: 3/'
    reload_lbbgp "$x"
done
start_load 5000 90

# One VIP.
times=$(fib_time gone "$vip" lb1 "$BIN/bgp/lbbgp" -i "${PREFIX}lb1" --drain="$vip") || fail "lb1's $vip is not drained: $times"
check "spines take other ways for a drained VIP ($times ms)" state_is lb1 "$vip" draining
check "BIRD still announces it to them" wait_for 2 "a look" bgp_is lb1 '.sessions[] | select(.name == "spine1_v4") | .exported.ipv4.vips == 2'
if FIB_PATIENCE=1 fib_time gone "${VIPS[2]}" lb1 true >"$SCRATCH/watch"; then fail "another VIP has gone, too: $(cat "$SCRATCH/watch")"; fi
pass "the node's other VIPs stay"
start_lbbgp lb1
wait_for 10 "the successor" bgp_is lb1 '.lease.by != ""'
check "an lbbgp that takes over goes on with it" wait_for 10 "it" state_is lb1 "$vip" withdrawn
kill_program lb1 lbbgp
wait_for 10 "lbbgp to be dead" is_dead "$(pid_of lb1 lbbgp)"
start_lbbgp lb1
wait_for 20 "the rest to be announced" bgp_is lb1 '.announced == 3'
check "and one that is started anew remembers it" state_is lb1 "$vip" withdrawn
times=$(fib_time there "$vip" lb1 "$BIN/bgp/lbbgp" -i "${PREFIX}lb1" --undrain="$vip") || fail "lb1's $vip is not back: $times"
pass "undrained, it is back ($times ms)"
if "$BIN/bgp/lbbgp" -i "${PREFIX}lb1" --drain=192.0.2.254 2>"$SCRATCH/error"; then fail "a VIP that is none was drained"; fi
check "a VIP that is none is refused" grep -q 'no service' "$SCRATCH/error"

# All of a node's, by lbbgp and by lbnode.
times=$(fib_time gone "$ALL_VIPS" lb2 "$BIN/bgp/lbbgp" -i "${PREFIX}lb2" --drain) || fail "lb2 is not drained: $times"
pass "spines take other ways for a drained node ($times ms)"
check "and after drain_time it is withdrawn" wait_for 10 "it" all_state_is lb2 withdrawn
lbbgp lb2 --undrain 2>/dev/null
wait_for 10 "lb2 to be announced" is_announced lb2
lbctl lb1 drain node lb2 --timeout 40 >"$SCRATCH/drain" 2>&1 || fail "the drain: $(cat "$SCRATCH/drain")"
check "a drain of the whole node has the VIPs withdrawn" all_state_is lb2 withdrawn
check "and says what it waited for" grep -q 'routers take other ways' "$SCRATCH/drain"
lbctl lb1 undrain node lb2
wait_for 10 "lb2 to be announced" is_announced lb2
pass "and its undrain announces them"

# All nodes: marked alike, they are all as good as before.
for x in $(names lb "$NODES"); do lbbgp "$x" --drain 2>/dev/null; done
wait_for 5 "all to be draining" all_state_is lb3 draining
marked() { birdc -r -s "$RUN/spine1/bird.ctl" "show route all for $vip protocol $1_v4" | grep -q '(65535,0)'; }
for x in $(names lb "$NODES"); do wait_for 5 "$x's mark at the spine" marked "$x"; done
for x in $(names lb "$NODES"); do check "with all nodes draining, spines still use $x" fib_time there "$ALL_VIPS" "$x" true; done
for x in $(names lb "$NODES"); do lbbgp "$x" --undrain 2>/dev/null; done

# By AS path and MED instead, for routers that don't know the community.
edit_config lb1 's/drain_time: .*/&\n    drain_prepend: 2\n    drain_med: 100/'
reload_lbbgp lb1
lbbgp lb1 --drain 2>/dev/null
prepended() { birdc -r -s "$RUN/spine1/bird.ctl" "show route all for $vip protocol lb1_v4" | grep -q 'as_path: 64602 64602 64602'; }
check "the path is longer by what was asked for" wait_for 5 "it" prepended
lbbgp lb1 --undrain 2>/dev/null
stop_load
