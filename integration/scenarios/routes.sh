#!/bin/bash
# Without node.addresses tunnels come from wherever the route says, and everything follows the kernel:
# an address that goes, a route that moves and has an MTU, a neighbour's MAC, a link that goes down,
# an interface that is deleted and comes back. In a namespace of its own, beside the lab.
source "$(dirname "$0")/../lib/scenario.sh"

ns=routes instance=${PREFIX}routes
end() {
    [ -z "${agent:-}" ] || kill -KILL "$agent" 2>/dev/null || true
    wait 2>/dev/null || true
    ip netns del "$PREFIX$ns" 2>/dev/null || true
    "$BIN/lbnode/lbnode" -i "$instance" --detach >/dev/null 2>&1 || true
    rm -rf "$SCRATCH"
}
trap end EXIT
make_device() {
    in_ns $ns ip link add dev0 type veth peer name dev1
    in_ns $ns ip link set dev1 up
    in_ns $ns ip link set dev0 up
    in_ns $ns ip addr add 192.0.2.10/24 dev dev0
    in_ns $ns ip addr add 198.51.100.7/24 dev dev0
    in_ns $ns ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:09 dev dev0
}
cat >"$SCRATCH/holdfast.yaml" <<'END'
cluster: {insecure: true}
node: {name: routes, interfaces: [dev0]}
services:
    - {address: 203.0.113.10, port: 80, protocol: tcp, pool: web}
pools:
    - name: web
      backends: [{name: be1, address: 192.0.2.1}]
END

entry() { # MAP KEY
    bpftool map lookup pinned "/sys/fs/bpf/holdfast/$instance/$1" key "$2" 0 0 0 -j | jq -c .formatted.value
}
# The way that the one backend, id 1, goes by: "SOURCE MTU MAC", or "none".
way() {
    local backend hop
    backend=$(entry backends 1)
    hop=$(entry nexthops "$(jq .nexthop <<<"$backend")")
    [ "$(jq .ifindex <<<"$hop")" != 0 ] || { echo none; return; }
    echo "$(jq -r '.source[0] | [. % 256, (. / 256 | floor) % 256, (. / 65536 | floor) % 256,
        (. / 16777216 | floor)] | map(tostring) | join(".")' <<<"$backend")" \
        "$(jq .mtu <<<"$hop")" "$(jq -r '.macs[5]' <<<"$hop")"
}
way_is() { [ "$(way)" = "$1" ]; }
comes_to() { # WHAT WAY
    wait_for 10 "$1: $2, but it is $(way)" way_is "$2"
    pass "$1: $2"
}
has_xdp() { in_ns $ns ip link show dev0 | grep -q prog/xdp; }

ip netns add "$PREFIX$ns"
make_device
nsenter --net="/run/netns/$PREFIX$ns" "$BIN/lbnode/lbnode" -c "$SCRATCH/holdfast.yaml" -i "$instance" \
    2>"$SCRATCH/log" 3>&- &
agent=$!
wait_for 20 "lbnode to forward" grep -q forwarding "$SCRATCH/log"

comes_to "at first" "192.0.2.10 1500 9"
in_ns $ns ip addr add 192.0.2.11/24 dev dev0
in_ns $ns ip addr del 192.0.2.10/24 dev dev0
in_ns $ns ip addr replace 192.0.2.11/24 dev dev0
in_ns $ns ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:09 dev dev0
comes_to "an address went" "192.0.2.11 1500 9"
in_ns $ns ip neigh replace 198.51.100.1 lladdr 02:00:00:00:00:08 dev dev0
in_ns $ns ip route add 192.0.2.1/32 via 198.51.100.1 dev dev0 mtu 1400
comes_to "a route moved" "198.51.100.7 1400 8"
in_ns $ns ip neigh replace 198.51.100.1 lladdr 02:00:00:00:00:07 dev dev0
comes_to "a neighbour changed its MAC" "198.51.100.7 1400 7"
in_ns $ns ip route del 192.0.2.1/32
comes_to "the route went" "192.0.2.11 1500 9"
in_ns $ns ip link set dev0 down
comes_to "the link went down" none
in_ns $ns ip link del dev0
wait_for 10 "a word about the interface" grep -q 'interface dev0 is gone' "$SCRATCH/log"
make_device
wait_for 10 "the program on the new interface" has_xdp
comes_to "the interface is back" "192.0.2.10 1500 9"
# More changes than the socket holds, while the agent can't read them: it starts over and is right.
kill -STOP "$agent"
for ((i = 0; i < 60000; i++)); do
    echo "route replace 10.$((i / 250 % 250)).$((i % 250)).0/24 dev dev0 metric $((i % 7 + 1))"
done | in_ns $ns ip -batch -
in_ns $ns ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:05 dev dev0
kill -CONT "$agent"
comes_to "after an overrun" "192.0.2.10 1500 5"
in_ns $ns ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:04 dev dev0
comes_to "and it still listens" "192.0.2.10 1500 4"
grep -q 'more network changes than could be read' "$SCRATCH/log" || fail "there was no overrun"
