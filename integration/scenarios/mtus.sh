#!/bin/bash
# A path that is narrower than its ends know costs no connection: 1400 bytes towards the clients,
# which the backends must learn from ICMP errors to the VIP, and 1480 towards the backends, which
# the nodes must learn from ICMP errors about their tunnels, and tell the clients.
source "$(dirname "$0")/../lib/scenario.sh"

head -c 10000000 /dev/urandom >"$SCRATCH/data"
there_and_back() { client timeout 60 ncat "$1" 7 <"$SCRATCH/data" | cmp - "$SCRATCH/data"; }

# A route of the operator's, before BIRD's, that tells the MTU; the interfaces know nothing of it.
narrow() { # replace|del
    local s n a b
    for s in $(names spine "$SPINES"); do
        while read -r n a b; do
            case "$a $b" in
            "edge $s")
                in_ns "$s" ip route "$1" "$(client_prefix4 client1)" via "$(link4 "$n" 0)" metric 1 mtu 1400
                in_ns "$s" ip -6 route "$1" "$(client_prefix6 client1)" via "$(link6 "$n" 0)" metric 1 mtu 1400
                ;;
            "$s be"*)
                in_ns "$s" ip route "$1" "$(address4 "$b")/32" via "$(link4 "$n" 1)" metric 1 mtu 1480
                in_ns "$s" ip -6 route "$1" "$(address6 "$b")/128" via "$(link6 "$n" 1)" metric 1 mtu 1480
                ;;
            esac
        done <"$RUN/links"
    done
}
has_learnt() { grep -q "a router says that the way to backend $1.* takes packets of 1480" "$RUN"/log/lb*-lbnode.log; }

forget() { # what was learnt
    local x
    narrow del 2>/dev/null
    for x in client1 $(names be "$BACKENDS"); do
        in_ns "$x" ip route flush cache
        in_ns "$x" ip -6 route flush cache
    done
    for x in $(names lb "$NODES"); do
        stop_lbnode "$x" TERM
        restart_lbnode "$x"
    done
}
told=$(all_counters too_big_told) errors=$(all_counters icmp_errors)
at_exit forget
narrow replace
for vip in "${VIPS[@]}"; do check "10 MB to $vip and back" there_and_back "$vip"; done
# A client that knows a VIP's MTU sends nothing bigger, to whichever backend: so it forgets, until
# connections have met backends of both families.
for try in {1..30}; do
    has_learnt '192\.' && has_learnt '2001:' && break
    client ip route flush cache
    client ip -6 route flush cache
    for vip in "${VIPS[@]}"; do there_and_back "$vip" || fail "10 MB to $vip and back, try $try"; done
done
check "nodes learnt the way's MTU over IPv4" has_learnt '192\.'
check "and over IPv6" has_learnt '2001:'
check "clients were told" [ "$(all_counters too_big_told)" -gt "$told" ]
check "ICMP errors reached backends" [ "$(all_counters icmp_errors)" -gt "$errors" ]
