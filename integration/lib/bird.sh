# Routing: every spine, node and backend and the edge run BIRD, eBGP on every link, BFD, ECMP.
# The timers are those that recover fast; BIRD's own defaults take up to a minute.

bird_common() { # NAME
    cat <<END
router id $(address4 "$1");
log "$RUN/log/$1-bird.log" all;
protocol device { scan time 1; }
protocol bfd {
    interface "*" { min rx interval 100 ms; min tx interval 100 ms; multiplier 5; };
}
protocol kernel {
    merge paths on limit 64;
    ipv4 { import none; export filter {
        if source !~ [RTS_BGP] then reject;
        krt_prefsrc = $(address4 "$1");
        accept;
    }; };
}
protocol kernel {
    merge paths on limit 64;
    ipv6 { import none; export filter {
        if source !~ [RTS_BGP] then reject;
        krt_prefsrc = $(address6 "$1");
        accept;
    }; };
}
template bgp fabric {
    local as $(asn_of "$1");
    bfd on;
    hold time 9; keepalive time 3;
    error wait time 1,1; error forget time 10; connect delay time 1; connect retry time 1;
    graceful restart off; long lived graceful restart off;
}
END
}

# What each announces as its own, besides what it passes on; none of it goes to its own kernel.
bird_static() { # NAME
    local four="route $(address4 "$1")/32 blackhole;" six="route $(address6 "$1")/128 blackhole;"
    if [ "$1" = edge ]; then
        four+=" route 0.0.0.0/0 unreachable;"
        six+=" route ::/0 unreachable;"
    fi
    echo "protocol static own4 { ipv4; $four }"
    echo "protocol static own6 { ipv6; $six }"
}

bird_session() { # OTHER OTHER-ADDRESS4 OTHER-ADDRESS6
    local in=all out="export where source ~ [RTS_STATIC, RTS_BGP];"
    if [ "$(role_of "$1")" = lb ]; then in="filter from_node"; fi
    cat <<END
protocol bgp $1_v4 from fabric { neighbor $2 as $(asn_of "$1"); ipv4 { import $in; $out }; }
protocol bgp $1_v6 from fabric { neighbor $3 as $(asn_of "$1"); ipv6 { import $in; $out }; }
END
}

# What a spine by BIRD needs for a node's weight, and for its drains (RFC 8326). Linux' weights end at 256.
bird_from_node() {
    cat <<END
filter from_node {
    for lc word in bgp_large_community do
        if word ~ [($(asn_of lb), 1, *)] then {
            if word.data2 > 255 then weight = 255; else weight = word.data2;
        }
    if (65535, 0) ~ bgp_community then bgp_local_pref = 0;
    accept;
}
END
}

bird_sessions() { # NAME
    local n a b
    while read -r n a b; do
        case $b in client*) continue ;; esac
        [ "$a" = "$1" ] && bird_session "$b" "$(link4 "$n" 1)" "$(link6 "$n" 1)"
        [ "$b" = "$1" ] && bird_session "$a" "$(link4 "$n" 0)" "$(link6 "$n" 0)"
    done <"$RUN/links"
    return 0
}

# NAME=ADDRESS@AS of each of a node's neighbours.
node_neighbours() { # NODE
    local n a b
    while read -r n a b; do
        [ "$b" = "$1" ] || continue
        echo "${a}_v4=$(link4 "$n" 0)@$(asn_of "$a")"
        echo "${a}_v6=$(link6 "$n" 0)@$(asn_of "$a")"
    done <"$RUN/links"
}

# As an operator would begin, but for the log; and the machine may be slow, so BFD waits a little longer.
write_node_bird() { # NODE
    in_ns "$1" "$BIN/bgp/lbbgp" --config "$RUN/$1/holdfast.yaml" --print-bird-conf $(node_neighbours "$1") |
        sed "s|^log .*|log \"$RUN/log/$1-bird.log\" all;|; s/multiplier 3/multiplier 4/"
}

write_bird() { # NAME
    mkdir -p "$RUN/$1"
    if [ "$(role_of "$1")" = lb ]; then
        write_node_bird "$1"
    else
        bird_common "$1"
        bird_static "$1"
        bird_from_node
        bird_sessions "$1"
    fi >"$RUN/$1/bird.conf"
}

# Ahead of all load, as a router's own processor would be. A node's BIRD has a user of its own, as Debian's has.
start_bird() { # NAME
    local who=()
    if [ "$(role_of "$1")" = lb ]; then
        who=(-u bird -g bird)
        touch "$RUN/log/$1-bird.log" "$RUN/$1/bird.pid"
        chown bird:bird "$RUN/log/$1-bird.log" "$RUN/$1/bird.pid"
    fi
    in_ns "$1" nice -n -10 bird "${who[@]}" -c "$RUN/$1/bird.conf" -s "$RUN/$1/bird.ctl" -P "$RUN/$1/bird.pid" 3>&-
}

bird_is_settled() { # NAME: all sessions are up
    local sessions
    if runs_frr "$1"; then frr_is_settled "$1"; return; fi
    sessions=$(birdc -r -s "$RUN/$1/bird.ctl" show protocols | awk '$2 == "BGP" { print $NF }')
    [ -n "$sessions" ] && ! grep -qv Established <<<"$sessions"
}

ways_to() { # NAME ADDRESS: how many next hops the kernel has
    local family=-4
    case $2 in *:*) family=-6 ;; esac
    in_ns "$1" ip $family route show "$2" | grep -o 'dev [a-z]*[0-9]*' | sort -u | wc -l
}

goes_by_spine() { # NAME OTHER: the way to the other host's addresses
    in_ns "$1" ip route get "$(address4 "$2")" | grep -q 'dev spine' &&
        in_ns "$1" ip -6 route get "$(address6 "$2")" | grep -q 'dev spine'
}

fabric_is_settled() {
    local x y
    for x in $(names be "$BACKENDS"); do
        goes_by_spine "$x" client1 || return 1
        for y in $(names lb "$NODES"); do goes_by_spine "$y" "$x" || return 1; done
    done
}

routing_is_settled() {
    local x vip
    ! runs_frr "spine$SPINES" || frr_is_settled "spine$SPINES" || return 1
    for vip in "${VIPS[@]}"; do
        [ "$(ways_to edge "$vip")" = "$SPINES" ] || return 1
        for x in $(names spine "$SPINES"); do
            [ "$(ways_to "$x" "$vip")" = "$NODES" ] || return 1
        done
    done
    fabric_is_settled
}
