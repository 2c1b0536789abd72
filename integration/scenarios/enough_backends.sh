#!/bin/bash
# How many backends a VIP needs to be announced: usable ones, that the node reaches; and what all of them dead, and
# blinking, does.
source "$(dirname "$0")/../lib/scenario.sh"
source integration/lib/announce.sh
repair() {
    local x
    mend_ways
    for x in $(names be "$BACKENDS"); do
        override lb1 "+/$x=none"
        is_alive "$x" responder || return_backend "$x"
    done
    restore_config
    for x in $(names lb "$NODES"); do reload_lbbgp "$x"; done
    forget_penalties
    for x in $(names lb "$NODES"); do wait_for 60 "$x to be announced" is_announced "$x"; done
}
at_exit repair
# A driver that is started anew knows of no blinking.
forget_penalties() {
    local x
    for x in $(names lb "$NODES"); do
        kill_program "$x" lbbgp
        wait_for 10 "lbbgp on $x to be dead" is_dead "$(pid_of "$x" lbbgp)"
        start_lbbgp "$x"
    done
}
vip=${VIPS_IPIP[0]}
is_gone() { bgp_is "$1" "[.vips[] | select(.address == \"$vip\") | .state] == [\"withdrawn\"]"; }
is_out() { bgp_is "$1" "[.vips[] | select(.address == \"$vip\") | .state] == [\"announced\"]"; }
all_are() { local x; for x in $(names lb "$NODES"); do "$1" "$x" || return 1; done; }
why() { bgp_is "$1" "[.vips[] | select(.address == \"$vip\") | .why | contains(\"$2\")] == [true]"; }
# The tunnels' ends, as this node sees them.
lose_ways() { local x; for x in "$@"; do in_ns lb1 ip route add blackhole "$(address4 "$x")" metric 1; done; }
mend_ways() { local x; for x in $(names be "$BACKENDS"); do in_ns lb1 ip route del blackhole "$(address4 "$x")" metric 1 2>/dev/null || true; done; }

wait_for 60 "the cluster" all_in_cluster
for x in $(names lb "$NODES"); do wait_for 60 "$x to be announced" is_announced "$x"; done
forget_penalties
for x in $(names lb "$NODES"); do wait_for 60 "$x to be announced" is_announced "$x"; done
edit_configs 's/^\( *\)encapsulation: ipip/&\n\1min_backends: 3\n\1check: {type: tcp, interval: 0.2, timeout: 0.1, fall: 2}/'

# By an operator's word, as all nodes hear it.
override lb1 ipip/be1=drain
check "with three of four that serve it is announced" stays 2 all_are is_out
override lb1 ipip/be2=drain
check "with two it is withdrawn, everywhere" wait_for 10 "it" all_are is_gone
check "for want of backends" why lb2 'too few usable backends'
override lb1 ipip/be1=none
override lb1 ipip/be2=none
check "with four it is back" wait_for 10 "it" all_are is_out

# By what checks find.
kill_backend be1
kill_backend be2
check "two dead ones, and it is withdrawn" wait_for 15 "it" all_are is_gone
kill_backend be3
kill_backend be4
check "all look dead: it is announced all the same" wait_for 15 "it" all_are is_out
edit_configs 's/^bgp:/bgp:\n    on_all_down: withdraw/'
for x in $(names lb "$NODES"); do reload_lbbgp "$x"; done
check "unless told otherwise" wait_for 15 "it" all_are is_gone
for x in $(names be "$BACKENDS"); do return_backend "$x"; done
forget_penalties
wait_for 30 "them to be back" all_are is_out
pass "they live, and it is back"

# By what this node reaches, which is its own affair.
lose_ways be1 be3
check "a node that reaches two of four withdraws" wait_for 10 "it" is_gone lb1
check "and says that it can't reach them" why lb1 "can't reach"
check "the others do not" is_out lb2
mend_ways
check "its ways are back, and it is" wait_for 30 "it" is_out lb1

# Blinking, until it is damped.
blink() {
    lose_ways be1 be3
    wait_for 5 "it to be withdrawn" is_gone lb1
    mend_ways
    wait_for 5 "it to be announced, or damped" is_out_or_damped
}
is_out_or_damped() { is_out lb1 || why lb1 damped; }
for i in 1 2 3; do blink; done
check "one that blinks is damped" wait_for 5 "it" why lb1 damped
check "and stays away" stays 3 why lb1 damped
