# What can happen to a cluster, one function each, and what puts it right again. Scenarios and the chaos
# run use the same.

syncd_status() { "$BIN/syncd/syncd" --instance "$PREFIX$1" --status --json 2>/dev/null || [ $? = 1 ]; }

# The node owns records, and sees all others alive; nothing is left to be handed over.
is_in_cluster() { # NODE
    if ! has_syncd; then
        is_alive "$1" lbnode && node_counter "$1" forwarded >/dev/null 2>&1
        return $? # in a trap a bare return is of what was before it
    fi
    syncd_status "$1" | jq -e --argjson n "$NODES" '.ready and .lbnode and .settled and
        ([.members[] | select(.state == "alive" and .ready)] | length == $n)' >/dev/null
}
all_in_cluster() { local x; for x in $(names lb "$NODES"); do is_in_cluster "$x" || return 1; done; }

pid_of() { cat "$RUN/$1/$2.pid" 2>/dev/null; } # NAME PROGRAM
programs() { if has_syncd; then echo lbnode syncd; else echo lbnode; fi; }
kill_program() { kill -9 "$(pid_of "$1" "$2")" 2>/dev/null || true; }
start_program() { # NODE PROGRAM: unless it runs
    is_alive "$1" "$2" || "start_$2" "$1"
}

# lbnode and syncd, at once; the pinned data plane forwards on.
kill_programs() { local p; for p in $(programs); do kill_program "$1" $p; done; }
start_programs() { local p; for p in $(programs) lbbgp; do start_program "$1" $p; done; }

lbctl() { "$BIN/lbctl/lbctl" --instance "$PREFIX$1" "${@:2}"; } # NODE COMMAND...
# An operator's word for a backend, said on the node.
override() { # NODE TARGET=drain|disable|none|weight:N OPTION...
    local target=${2%=*} word=${2#*=}
    case $word in
        drain) lbctl "$1" drain backend "$target" "${@:3}" ;;
        disable) lbctl "$1" disable "$target" "${@:3}" ;;
        none) lbctl "$1" undrain backend "$target" "${@:3}" ;;
        weight:*) lbctl "$1" weight "$target" "${word#weight:}" "${@:3}" ;;
    esac
}
lbbgp() { "$BIN/bgp/lbbgp" --instance "$PREFIX$1" "${@:2}"; } # NODE OPTION...
withdraw() { lbbgp "$1" --drain 2>/dev/null; }   # NODE: its VIPs
announce() { lbbgp "$1" --undrain 2>/dev/null; } # NODE
is_announced() { # NODE: every spine has a way to every VIP by it
    local s vip family
    for s in $(names spine "$SPINES"); do
        in_ns "$s" ip link show "$1" | grep -q 'state UP' || continue
        for vip in "${VIPS[@]}"; do
            family=-4
            case $vip in *:*) family=-6 ;; esac
            in_ns "$s" ip $family route show "$vip" | grep -qw "dev $1" || return 1
        done
    done
}
is_withdrawn() { # NODE
    local s vip family
    for s in $(names spine "$SPINES"); do
        for vip in "${VIPS[@]}"; do
            family=-4
            case $vip in *:*) family=-6 ;; esac
            in_ns "$s" ip $family route show "$vip" >"$SCRATCH/ways"
            ! grep -qw "dev $1" "$SCRATCH/ways" || return 1
        done
    done
}

# As by a power cut: links, programs, data plane and its memory.
kill_node() { # NODE
    local s p
    for s in $(names spine "$SPINES"); do in_ns "$1" ip link set "$s" down; done
    for p in $(programs) lbbgp bird; do kill_program "$1" $p; done
    wait_for 10 "lbnode of $1 to die" is_dead "$(pid_of "$1" lbnode)"
    "$BIN/lbnode/lbnode" -i "$PREFIX$1" --detach 2>/dev/null
}

# Up again, and announced when it knows what it must.
return_node() { # NODE
    local s
    for s in $(names spine "$SPINES"); do
        in_ns "$1" ip link set "$s" up
    done
    start_bird "$1"
    start_node "$1"
    wait_for 60 "$1 to be in the cluster again" is_in_cluster "$1"
    wait_for 30 "$1's VIPs to be announced" is_announced "$1"
}

# All links of a spine; its neighbours notice by BFD.
spine_links() { # SPINE up|down
    local x
    for x in edge $(names lb "$NODES") $(names be "$BACKENDS"); do
        in_ns "$1" ip link set "$x" "$2"
    done
}

# Out of service as an operator does it: records handed on, no new packets, then the end.
drain_node() { # NODE
    local p
    lbctl "$1" drain node "$1" --timeout 60 >>"$RUN/log/$1-drain.log" 2>&1 ||
        die "$1 was not drained, see $RUN/log/$1-drain.log"
    for p in $(programs | tr ' ' '\n' | tac); do
        kill -TERM "$(pid_of "$1" $p)"
        wait_for 20 "$p on $1 to end" is_dead "$(pid_of "$1" $p)"
    done
    "$BIN/lbnode/lbnode" -i "$PREFIX$1" --detach 2>/dev/null
}
undrain_node() { # NODE
    start_lbnode "$1"
    start_syncd "$1"
    wait_for 60 "$1 to be in the cluster again" is_in_cluster "$1"
    wait_for 30 "$1's VIPs to be announced" is_announced "$1"
}

restart_programs() { # NODE: as an upgrade does it
    local p
    for p in $(programs); do
        kill -TERM "$(pid_of "$1" $p)"
        wait_for 20 "$p on $1 to end" is_dead "$(pid_of "$1" $p)"
        "start_$p" "$1"
    done
    start_lbbgp "$1"
    wait_for 60 "$1 to be in the cluster again" is_in_cluster "$1"
}

# Every router hashes anew: most flows come to other nodes. Kernels before 6.11 can't.
rehash() {
    local x seed
    for x in edge $(names spine "$SPINES"); do
        # Another one than before, whatever the seed of the run.
        seed=$(in_ns "$x" sysctl -n net.ipv4.fib_multipath_hash_seed)
        in_ns "$x" sysctl -q -w net.ipv4.fib_multipath_hash_seed=$(((seed + RANDOM * 32768 + RANDOM) % 2147483647 + 1))
    done
}

# Gossip between nodes goes by a rule of nftables.
hinder_gossip() { # NODE RULE
    printf 'table inet gossip {\n chain in {\n type filter hook input priority 0\n %s\n }\n}\n' "$2" |
        in_ns "$1" nft -f -
}
cut_gossip() { # NODE OTHER
    hinder_gossip "$1" "ip saddr $(address4 "$2") meta l4proto { tcp, udp } th dport 6090 drop"
}
lose_gossip() { # NODE PERCENT
    hinder_gossip "$1" "udp dport 6090 numgen random mod 100 < $2 drop"
}
mend_gossip() { in_ns "$1" nft delete table inet gossip 2>/dev/null || true; }

# Without waiting for them; restore_config puts the pools back.
edit_configs() { # SED-SCRIPT
    local x
    for x in $(names lb "$NODES"); do
        sed -i "$1" "$RUN/$x/holdfast.yaml"
        is_alive "$x" lbnode && kill -HUP "$(pid_of "$x" lbnode)"
    done
    return 0
}
remove_backend() { edit_configs "/name: $1,/d"; }
weigh_backend() { edit_configs "s/\\(name: $1, .*weight: \\)[0-9]*/\\1$2/"; } # NAME WEIGHT
restore_pools() {
    local x
    for x in $(names lb "$NODES"); do
        write_node_config "$x"
        is_alive "$x" lbnode && kill -HUP "$(pid_of "$x" lbnode)"
    done
    return 0
}

# The server, whose kernel then resets its connections.
kill_backend() {
    local pid
    pid=$(pid_of "$1" responder)
    kill_program "$1" responder
    wait_for 5 "the server of $1 to be gone" is_dead "$pid"
}
return_backend() {
    start_responder "$1"
    wait_for 30 "responder on $1" says "$1" responder answers
}

# The VIPs' ways over a resilient next-hop group of these nodes, as FRR or a switch makes them; it comes before
# BIRD's route. Changed in place, so that flows of members that stay do not move.
# zebra would take such a route for its own, and keep to it when it has gone.
resilient_groups() { # NODE...
    local s x vip i
    for s in $(names spine "$SPINES"); do
        ! runs_frr "$s" || continue
        for i in 4 6; do
            local group=()
            for x in $(names lb "$NODES"); do
                [[ " $* " = *" $x "* ]] || continue
                in_ns "$s" ip nexthop replace id "$i$(number_of "$x")" via "$(node_link "$i" "$s" "$x")" dev "$x"
                group+=("$i$(number_of "$x")")
            done
            in_ns "$s" ip nexthop replace id "${i}00" group "$(IFS=/; echo "${group[*]}")" \
                type resilient buckets 128 idle_timer 1
            for vip in "${VIPS[@]}"; do
                case $i$vip in
                4*:*) ;;
                4*) in_ns "$s" ip route replace "$vip" nhid 400 metric 1 ;;
                6*:*) in_ns "$s" ip -6 route replace "$vip" nhid 600 metric 1 ;;
                esac
            done
        done
    done
}
no_resilient_groups() {
    local s
    for s in $(names spine "$SPINES"); do runs_frr "$s" || in_ns "$s" ip nexthop flush >/dev/null 2>&1 || true; done
}
node_link() { # FAMILY SPINE NODE: the node's address on that link
    local n a b
    while read -r n a b; do [ "$a $b" != "$2 $3" ] || "link$1" "$n" 1; done <"$RUN/links"
}

# Forged packets to the first VIP, from the first client.
FLOOD=
start_flood() { # SECONDS [--ack]
    nsenter --net="/run/netns/${PREFIX}client1" "$BIN/integration/flood" -r 20000 -s "$1" "${@:2}" \
        "$(target_of "${VIPS[0]}" 80)" &
    FLOOD=$!
}
end_flood() {
    [ -z "$FLOOD" ] || kill "$FLOOD" 2>/dev/null || true
    FLOOD=
}

# Connections that have just begun, beside the load: $SCRATCH/young-*.json.
YOUNG=
start_young_load() { # CONNECTIONS SECONDS
    local others; others=$(open_connections)
    YOUNG_COUNT=$((${YOUNG_COUNT:-0} + 1))
    nsenter --net="/run/netns/${PREFIX}client1" "$BIN/integration/flowload" --json -c "$1" -s "$2" -r 5 \
        $(all_targets) >"$SCRATCH/young-$YOUNG_COUNT.json" 2>>"$SCRATCH/load.log" &
    YOUNG=$!
    wait_for 10 "$1 more connections" load_is_open $((others + $1))
}
end_young_load() { wait "$YOUNG" || true; YOUNG=; }

# Has all pools' backends checked; restore_config ends that.
check_pools() { # CHECK, as it stands in the configuration
    edit_configs "s|^      last_chance:.*|&\\n      check: {$1}|"
    for x in $(names lb "$NODES"); do wait_for 10 "$x to check" backends_of "$x" '.checked'; done
}
# What a node says of backends: jq's filter over each of them must be true of one.
backends_of() { # NODE FILTER
    lbctl "$1" backends --node "$1" --json | jq -e --arg node "$1" ".nodes[] | select(.name == \$node) | any(.backends[]; $2)"
}

new_flows_of() { # BACKEND: that all nodes have sent there
    local x total=0
    for x in $(names lb "$NODES"); do
        total=$((total + $("$BIN/lbnode/lbnode" -i "$PREFIX$x" --stats --json |
            jq --arg v4 "$(address4 "$1")" --arg v6 "$(address6 "$1")" \
                '[.backends[] | select(.address == $v4 or .address == $v6) | .flows] | add')))
    done
    echo $total
}
# By the nodes' count of new flows: a connection may have the ports of one that a node still has a pin of.
gets_no_new_flows() { # BACKEND
    local before vip
    before=$(new_flows_of "$1")
    for vip in "${VIPS[@]}"; do who_answers "$vip" 100 >/dev/null; done
    [ "$(new_flows_of "$1")" = "$before" ]
}
