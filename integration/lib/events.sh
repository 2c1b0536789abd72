# Events: what happens, and what puts it right, each over when the cluster is whole again. One argument,
# a node's name, which those that concern no node ignore.

EVENTS=(programs_killed node_dies node_drains spine_dies rehash backend_removed backend_reweighted
    gossip_cut gossip_lossy syncd_killed_everywhere rolling_restart all_at_once)

some_backend() { echo "be$((RANDOM % BACKENDS + 1))"; }
some_other() { echo "lb$((($(number_of "$1") % NODES) + 1))"; }
a_while() { sleep "${1:-2}"; } # in which the load goes on

event_programs_killed() { kill_programs "$1"; a_while; start_programs "$1"; }
event_node_dies() { kill_node "$1"; a_while 4; return_node "$1"; }
event_node_drains() { drain_node "$1"; a_while; undrain_node "$1"; }
event_spine_dies() { spine_links spine1 down; a_while 4; spine_links spine1 up; wait_for 60 "BGP" routing_is_settled; }
event_rehash() { rehash; a_while; }
event_backend_removed() { remove_backend "$(some_backend)"; a_while; rehash; a_while; restore_pools; }
event_backend_reweighted() { weigh_backend "$(some_backend)" 10; a_while; rehash; a_while; restore_pools; }
event_gossip_cut() {
    cut_gossip "$1" "$(some_other "$1")"
    a_while 4
    remove_backend "$(some_backend)"
    rehash
    a_while
    mend_gossip "$1"
    restore_pools
}
event_gossip_lossy() {
    local x
    for x in $(names lb "$NODES"); do lose_gossip "$x" 20; done
    a_while
    remove_backend "$(some_backend)"
    a_while
    rehash
    a_while
    for x in $(names lb "$NODES"); do mend_gossip "$x"; done
    restore_pools
}
event_syncd_killed_everywhere() {
    local x
    for x in $(names lb "$NODES"); do kill_program "$x" syncd; done
    rehash
    a_while
    for x in $(names lb "$NODES"); do start_program "$x" syncd; done
}
event_rolling_restart() { local x; for x in $(names lb "$NODES"); do restart_programs "$x"; done; }
# A pool's change, a node's death and a full rehash within a tenth of a second.
event_all_at_once() {
    remove_backend "$(some_backend)" &
    kill_node "$1" &
    rehash
    wait %% # the last one that was begun
    a_while 4
    return_node "$1"
    restore_pools
    rehash
}

run_event() { # EVENT NODE
    "event_$1" "$2"
    wait_for 90 "the cluster to be whole after $1" all_in_cluster
}

# Whatever was interrupted.
repair_cluster() {
    local x s
    for s in $(names spine "$SPINES"); do spine_links "$s" up; done
    for x in $(names lb "$NODES"); do
        mend_gossip "$x"
        if is_alive "$x" bird; then start_programs "$x"; announce "$x"; else return_node "$x"; fi
    done
    restore_pools
    wait_for 90 "the cluster to be whole" all_in_cluster
}
