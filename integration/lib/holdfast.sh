# Holdfast itself: agents on nodes and backends, and what answers there.

BIN=$TOP/${HF_BUILD:-build}

# In the lab's other modes (`lab --help`) nodes don't talk to each other.
has_syncd() { [ "$MODE" = holdfast ] || [ "$MODE" = no-last-chance ]; }

service_options() { # PROTOCOL
    if [ "$MODE $1" = "hash tcp" ]; then echo ", stateless: true"; fi
}

# A scenario may say otherwise.
declare -A NODE_WEIGHTS=()
node_weight() { echo "${NODE_WEIGHTS[$1]:-100}"; }

write_node_config() { # NODE
    local x vip pool
    {
        cat <<END
cluster:
    name: lab
    key_file: $RUN/cluster.key
    seeds: [$(address4 lb1), $(address4 lb2), $(address4 lb3)]
node:
    name: $1
    gossip_address: $(address4 "$1")
    weight: $(node_weight "$1")
    interfaces: [$(names spine "$SPINES" | sed 's/ *$//; s/ /, /g')]
    addresses: [$(source4 "$1"), "$(source6 "$1")"]
bgp:
    local_as: $(asn_of "$1")
    bird_socket: $RUN/$1/bird.ctl
    include: $RUN/$1/bgp/vips.conf
    drain_time: 1
    sync_timeout: $(has_syncd && echo 10 || echo 0)
services:
END
        for pool in ipip gue; do
            local -n vips=VIPS_${pool^^}
            for vip in "${vips[@]}"; do
                for x in "80 tcp" "7 tcp" "53 udp"; do
                    echo "    - {address: \"$vip\", port: ${x% *}, protocol: ${x#* }, pool: $pool$(service_options "${x#* }")}"
                done
            done
        done
        echo "pools:"
        for pool in ipip gue; do
            printf '    - name: %s\n      encapsulation: %s\n' $pool $pool
            echo "      last_chance: $([ "$MODE" = holdfast ] && echo true || echo false)"
            echo "      backends:"
            for x in $(names be "$BACKENDS"); do
                # Odd ones are reached over IPv4, even ones over IPv6: all four combinations.
                if [ $(($(number_of "$x") % 2)) = 1 ]; then address=$(address4 "$x"); else
                    address=$(address6 "$x"); fi
                echo "          - {name: $x, address: \"$address\", weight: 100}"
            done
        done
    } >"$RUN/$1/new.yaml"
    # At once: a daemon may read it at any time.
    mv "$RUN/$1/new.yaml" "$RUN/$1/holdfast.yaml"
}

start_daemon() { # NAMESPACE PROGRAM COMMAND...
    setsid nsenter --net="/run/netns/$PREFIX$1" "${@:3}" >>"$RUN/log/$1-$2.log" 2>&1 </dev/null 3>&- &
    echo $! >"$RUN/$1/$2.pid"
    disown # it may well be killed, and nobody wants to read of it
}

start_node() { # NODE
    start_lbnode "$1"
    start_syncd "$1"
    start_lbbgp "$1"
}

# syncd's user reads the keys, too, when they change.
SYNCD_USER=nobody
keygen() { # [STEP]
    "$BIN/syncd/syncd" keygen "$RUN/cluster.key" "$@"
    chgrp "$(id -gn "$SYNCD_USER")" "$RUN/cluster.key"
    chmod 640 "$RUN/cluster.key"
}

make_keys() { keygen 2>/dev/null; }

start_syncd() { # NODE
    has_syncd || return 0
    start_daemon "$1" syncd "$BIN/syncd/syncd" --instance "$PREFIX$1" --user "$SYNCD_USER" \
        --config "$RUN/$1/holdfast.yaml"
}

start_lbnode() { # NODE
    start_daemon "$1" lbnode "$BIN/lbnode/lbnode" --instance "$PREFIX$1" \
        --config "$RUN/$1/holdfast.yaml"
}

# Takes the place of one that runs.
BGP_USER=nobody
start_lbbgp() { # NODE
    start_daemon "$1" lbbgp "$BIN/bgp/lbbgp" --instance "$PREFIX$1" --user "$BGP_USER" --replace \
        --config "$RUN/$1/holdfast.yaml"
}

start_lbhost() { # BACKEND
    local n allow=() interfaces=() s
    for n in $(names lb "$NODES"); do
        allow+=(--allow "$(source4 "$n")" --allow "$(source6 "$n")")
    done
    for s in $(names spine "$SPINES"); do interfaces+=(--interface "$s"); done
    start_daemon "$1" lbhost "$BIN/lbhost/lbhost" --instance "$PREFIX$1" "${interfaces[@]}" \
        "${allow[@]}"
}
start_backend() { # BACKEND
    start_lbhost "$1"
    start_responder "$1"
}
start_responder() {
    start_daemon "$1" responder "$BIN/integration/responder" "$1" "${VIPS[@]}" \
        "$(address4 "$1")" "$(address6 "$1")"
}

is_alive() { # NAME PROGRAM
    local pid
    pid=$(cat "$RUN/$1/$2.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null
}

# The daemon has said that it is at work; dies at once with its log when the daemon is dead.
says() { # NAME PROGRAM TEXT
    is_alive "$1" "$2" || { cat "$RUN/log/$1-$2.log" >&3; die "$2 on $1 did not start"; }
    grep -q "$3" "$RUN/log/$1-$2.log"
}

wait_for_daemons() {
    local x
    for x in $(names lb "$NODES"); do
        wait_for 30 "lbnode on $x" says "$x" lbnode forwarding
        ! has_syncd || wait_for 30 "syncd on $x" says "$x" syncd 'of cluster'
        wait_for 30 "lbbgp on $x" says "$x" lbbgp includes
    done
    for x in $(names be "$BACKENDS"); do
        wait_for 30 "lbhost on $x" says "$x" lbhost decapsulating
        wait_for 30 "responder on $x" says "$x" responder answers
    done
}

remove_pins() {
    local d
    for d in /sys/fs/bpf/holdfast/$PREFIX*; do
        [ -d "$d" ] || continue
        rm -f "$d"/* && rmdir "$d"
    done
    rmdir /sys/fs/bpf/holdfast 2>/dev/null || true
    rm -f /var/lib/holdfast/$PREFIX* /run/holdfast/$PREFIX*.control
    rm -f /run/holdfast/*-$PREFIX*.lock /run/holdfast/syncd/*$PREFIX* /run/holdfast/bgp/*$PREFIX*
    rm -f /var/lib/holdfast/bgp/$PREFIX*
}
