# Events: what happens, and what puts it right, each over when the cluster is whole again. One argument,
# a node's name, which those that concern no node ignore.

# With a hint of what each does, for `chaos --list`.
EVENTS=(
    "programs_killed      lbnode and syncd of a node are killed; the pool changes and flows are rehashed meanwhile"
    "node_dies            a node loses links, programs and memory, and joins again, empty"
    "node_drains          a node is drained, stopped, and joins again"
    "spine_dies           all links of a spine go down, and up again"
    "rehash               every router hashes anew: most flows come to other nodes"
    "backend_removed      a backend leaves the pools, a rehash, it is added again, a rehash"
    "backend_reweighted   a backend gets a tenth of its weight, a rehash, and its weight again"
    "backend_killed       a backend's server is killed, and its backend removed; always the same one"
    "gossip_cut           two nodes don't hear each other while the pool changes, and a rehash"
    "gossip_lossy         all nodes lose 20 % of gossip while the pool changes, and a rehash"
    "syncd_killed         every syncd is killed at once, and a rehash"
    "rolling_restart      every lbnode and syncd is restarted, one node after the other"
    "rolling_upgrade      the same, to another version and back (--next)"
    "resilient_group      the spines use resilient next-hop groups, which a node leaves and joins"
    "syn_flood            20,000 forged SYNs a second while the pool changes, and a rehash"
    "ack_flood            the same of ACKs, which belong to no flow"
    "all_at_once          within 100 ms a backend is removed, a node dies, and a rehash"
    "young_flows          the same, to connections that began within the second before"
)
event_names() { local e; for e in "${EVENTS[@]}"; do echo "${e%% *}"; done; }

# Not printed: a subshell has another RANDOM than the seed's.
pick_backend() { PICKED=be$((RANDOM % BACKENDS + 1)); }
some_other() { echo "lb$((($(number_of "$1") % NODES) + 1))"; }
a_while() { sleep "${1:-2}"; } # in which the load goes on

# A pool's change that outlives the rehash after it: flows of changed slots come to other nodes.
change_under_rehash() {
    pick_backend
    remove_backend "$PICKED"
    a_while 1
    rehash
    a_while
}

event_programs_killed() {
    kill_programs "$1"
    change_under_rehash
    start_programs "$1"
    restore_pools
}
event_node_dies() { kill_node "$1"; a_while 4; return_node "$1"; }
event_node_drains() { drain_node "$1"; a_while; undrain_node "$1"; }
event_spine_dies() { spine_links spine1 down; a_while 4; spine_links spine1 up; wait_for 60 "BGP" routing_is_settled; }
event_rehash() { rehash; a_while; }
event_backend_removed() { change_under_rehash; restore_pools; a_while 1; rehash; a_while; }
event_backend_reweighted() { pick_backend; weigh_backend "$PICKED" 10; a_while 1; rehash; a_while; restore_pools; }
event_backend_killed() {
    kill_backend "$DOOMED"
    remove_backend "$DOOMED"
    a_while 1
    rehash
    a_while
    return_backend "$DOOMED"
    restore_pools
}
event_gossip_cut() {
    cut_gossip "$1" "$(some_other "$1")"
    a_while 4
    change_under_rehash
    mend_gossip "$1"
    restore_pools
}
event_gossip_lossy() {
    local x
    for x in $(names lb "$NODES"); do lose_gossip "$x" 20; done
    a_while
    change_under_rehash
    for x in $(names lb "$NODES"); do mend_gossip "$x"; done
    restore_pools
}
event_syncd_killed() {
    local x
    for x in $(names lb "$NODES"); do kill_program "$x" syncd; done
    change_under_rehash
    for x in $(names lb "$NODES"); do start_program "$x" syncd; done
    restore_pools
}
event_rolling_restart() { local x; for x in $(names lb "$NODES"); do restart_programs "$x"; done; }
event_rolling_upgrade() {
    local x now=$BIN
    BIN=$NEXT_BIN
    for x in $(names lb "$NODES"); do restart_programs "$x"; change_under_rehash; restore_pools; done
    BIN=$now
    for x in $(names lb "$NODES"); do restart_programs "$x"; done
}
event_resilient_group() {
    resilient_groups $(names lb "$NODES")
    a_while
    pick_backend
    remove_backend "$PICKED"
    resilient_groups $(names lb "$NODES" | tr ' ' '\n' | grep -vx "$1")
    a_while
    resilient_groups $(names lb "$NODES")
    a_while
    no_resilient_groups
    restore_pools
}
event_syn_flood() { start_flood 5; change_under_rehash; restore_pools; end_flood; }
event_ack_flood() { start_flood 5 --ack; change_under_rehash; restore_pools; end_flood; }
# A pool's change, a node's death and a full rehash within a tenth of a second.
at_once() { # NODE
    pick_backend
    remove_backend "$PICKED" &
    kill_node "$1" &
    rehash
    wait %% # the last one that was begun
}
event_all_at_once() {
    at_once "$1"
    a_while 4
    return_node "$1"
    restore_pools
    rehash
}
event_young_flows() {
    start_young_load 1000 8
    at_once "$1"
    a_while 4
    return_node "$1"
    restore_pools
    end_young_load
}

run_event() { # EVENT NODE
    "event_$1" "$2"
    wait_for 90 "the cluster to be whole after $1" all_in_cluster
}

# Whatever was interrupted.
repair_cluster() {
    local x s
    for s in $(names spine "$SPINES"); do spine_links "$s" up; done
    no_resilient_groups
    end_flood
    is_alive "$DOOMED" responder || return_backend "$DOOMED"
    for x in $(names lb "$NODES"); do
        mend_gossip "$x"
        if is_alive "$x" bird; then start_programs "$x"; announce "$x"; else return_node "$x"; fi
    done
    restore_pools
    wait_for 90 "the cluster to be whole" all_in_cluster
}
