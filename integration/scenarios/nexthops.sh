#!/bin/bash
# Next hops follow the network: a neighbour's MAC changes, a link goes and comes back, an address
# goes; no connection breaks.
source "$(dirname "$0")/../lib/scenario.sh"

forwards_by_spine2_only() {
    ! "$BIN/lbnode/lbnode" -i "${PREFIX}lb1" --stats >/dev/null || true
    [ "$(in_ns lb1 ip route get "$(address4 be1)" | grep -o 'dev spine[0-9]')" = "dev spine2" ]
}
has_bgp() { bird_is_settled lb1; }
reaches_all() { [ "$(who_answers "${VIPS[0]}" 200 | wc -l)" = "$BACKENDS" ]; }
next_hop_mac() { bpftool map dump pinned "/sys/fs/bpf/holdfast/${PREFIX}lb1/nexthops" -j; }

start_load 1000 25

old=$(in_ns spine1 cat /sys/class/net/lb1/address 2>/dev/null || in_ns spine1 ip -j link show lb1 | jq -r '.[0].address')
new=02:00:00:00:51:01
in_ns spine1 ip link set lb1 address $new
mac_is_known() { in_ns lb1 ip neigh show dev spine1 | grep -q "$1"; }
wait_for 30 "lb1 to learn the spine's new MAC" mac_is_known $new
check "a next hop's MAC changed, and all backends are reached" reaches_all
in_ns spine1 ip link set lb1 address "$old"
wait_for 30 "lb1 to learn the old MAC again" mac_is_known "$old"

in_ns lb1 ip link set spine1 down
wait_for 20 "routes to leave the dead link" forwards_by_spine2_only
check "a link died, and all backends are reached" reaches_all
check "lb1 still forwards" [ "$(node_counter lb1 flows_new)" -gt 0 ]
in_ns lb1 ip link set spine1 up
# A link that went down lost its IPv6 address.
n=$(awk '$2 == "spine1" && $3 == "lb1" { print $1 }' "$RUN/links")
in_ns lb1 ip addr replace "$(link6 "$n" 1)/127" dev spine1 nodad
wait_for 30 "BGP over the link that came back" has_bgp
wait_for 30 "routes over both links again" routing_is_settled
check "the link came back, and all backends are reached" reaches_all
end_load
