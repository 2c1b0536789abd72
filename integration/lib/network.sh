# Namespaces, links and addresses.

in_ns() { # NAME COMMAND...
    # Not `ip netns exec`, whose fresh /sys would hide bpffs.
    nsenter --net="/run/netns/$PREFIX$1" "${@:2}"
}

make_namespace() {
    ip netns add "$PREFIX$1"
    in_ns "$1" sysctl -q -w net.ipv4.ip_forward=0 net.ipv4.conf.all.rp_filter=0 \
        net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.all.keep_addr_on_down=1 net.ipv6.conf.default.keep_addr_on_down=1 \
        net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1 \
        net.ipv4.ip_local_port_range="10240 65535" net.core.somaxconn=8192 \
        net.ipv4.tcp_max_syn_backlog=8192
    in_ns "$1" ip link set lo up
}

# Routers hash differently, or the spines would split what the edge has already split the same way
# (ECMP polarisation). Kernels before 6.11 have no seed to set.
make_router() {
    in_ns "$1" sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    in_ns "$1" sysctl -q -w net.ipv4.fib_multipath_hash_seed="$(cksum <<<"$1" | cut -d' ' -f1)" \
        2>/dev/null || true
}

link4() { echo "198.18.$(($1 / 128)).$(($1 % 128 * 2 + $2))"; } # LINK SIDE
link6() { printf '2001:db8:ff00:%x::%x\n' "$1" "$2"; }

# Hosts must hand out packets as they go on the wire: no checksums to be filled in later, no
# segments larger than the MTU. The other end of a link that XDP
# sends by, a node's or a backend's, needs an XDP program (pass.bpf.c).
make_link() { # LINK-NUMBER A B
    local a=$PREFIX$2 b=$PREFIX$3
    ip link add "$3" netns "$a" type veth peer name "$2" netns "$b"
    in_ns "$2" ip addr add "$(link4 "$1" 0)/31" dev "$3"
    in_ns "$2" ip addr add "$(link6 "$1" 0)/127" dev "$3" nodad
    in_ns "$3" ip addr add "$(link4 "$1" 1)/31" dev "$2"
    in_ns "$3" ip addr add "$(link6 "$1" 1)/127" dev "$2" nodad
    in_ns "$2" ethtool -K "$3" tx off tso off gso off >/dev/null 2>&1 || true
    in_ns "$3" ethtool -K "$2" tx off tso off gso off >/dev/null 2>&1 || true
    case $3 in lb* | be*)
        in_ns "$2" ip link set "$3" xdpdrv obj "$BIN/integration/pass.bpf.o" sec xdp ;;
    esac
    case $3 in client*)
        in_ns "$2" tc qdisc add dev "$3" clsact
        in_ns "$2" tc filter add dev "$3" ingress bpf da obj "$BIN/integration/wire.bpf.o" sec tc ;;
    esac
    in_ns "$2" ip link set "$3" up
    in_ns "$3" ip link set "$2" up
}

add_loopback_addresses() {
    in_ns "$1" ip addr add "$(address4 "$1")/32" dev lo
    in_ns "$1" ip addr add "$(address6 "$1")/128" dev lo nodad
}

add_vips() {
    local vip
    for vip in "${VIPS[@]}"; do in_ns "$1" ip addr add "$vip" dev lo; done
}

# Many sources, so that many connections fit and ECMP has something to hash.
add_client_sources() { # CLIENT LINK-NUMBER
    local i p4 p6 first
    p4=$(client_prefix4 "$1")
    p6=$(client_prefix6 "$1")
    first=$(address4 "$1")
    for ((i = 0; i < SOURCES_PER_CLIENT; i++)); do
        in_ns "$1" ip addr add "${first%.*}.$((${first##*.} + i))/32" dev lo
        in_ns "$1" ip addr add "${p6%/64}$(printf %x $((i + 1)))/128" dev lo nodad
    done
    in_ns "$1" ip route add default via "$(link4 "$2" 0)" src "$(address4 "$1")"
    in_ns "$1" ip -6 route add default via "$(link6 "$2" 0)" src "$(address6 "$1")"
    in_ns edge ip route add "$p4" via "$(link4 "$2" 1)"
    in_ns edge ip -6 route add "$p6" via "$(link6 "$2" 1)"
}

# Links can't be dumped by number later, so the numbers are noted as they are made.
make_network() {
    local n=0 a b x
    for x in $(all_names); do make_namespace "$x"; done
    for x in edge $(names spine "$SPINES"); do make_router "$x"; done
    : >"$RUN/links"
    while read -r a b; do
        make_link "$n" "$a" "$b"
        echo "$n $a $b" >>"$RUN/links"
        n=$((n + 1))
    done < <(links)
    for x in edge $(names spine "$SPINES") $(names lb "$NODES") $(names be "$BACKENDS"); do
        add_loopback_addresses "$x"
    done
    for x in $(names lb "$NODES"); do
        # The whole tunnel source prefix is this host's: ICMP errors come back to it.
        in_ns "$x" ip route add local "$(source4 "$x")" dev lo
        in_ns "$x" ip -6 route add local "$(source6 "$x")" dev lo
        add_vips "$x"
    done
    for x in $(names be "$BACKENDS"); do add_vips "$x"; done
    while read -r n a b; do
        case $b in client*) add_client_sources "$b" "$n" ;; esac
    done <"$RUN/links"
}

remove_network() {
    local ns pids
    for ns in $(ip netns list 2>/dev/null | awk -v p="^$PREFIX" '$1 ~ p { print $1 }'); do
        pids=$(ip netns pids "$ns" 2>/dev/null || true)
        [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
        ip netns del "$ns" 2>/dev/null || true
    done
}
