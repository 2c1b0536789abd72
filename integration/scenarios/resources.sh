#!/bin/bash
# What a machine may lack, lose or do to an agent: each is explained, or mended, and costs no flow.
source "$(dirname "$0")/../lib/scenario.sh"

lbnode=$BIN/lbnode/lbnode
config=$RUN/lb1/holdfast.yaml

refuses() { # WORDS COMMAND...
    local words=$1 got=0
    shift
    in_ns lb1 timeout 60 "$@" >"$SCRATCH/said" 2>&1 || got=$?
    cat "$SCRATCH/said"
    [ "$got" = 1 ] && grep -q -- "$words" "$SCRATCH/said"
}
restart_as() { # COMMAND...: lb1's agent, run by it
    stop_lbnode lb1 TERM
    : >"$RUN/log/lb1-lbnode.log"
    start_daemon lb1 lbnode "$@" "$lbnode" --instance "${PREFIX}lb1" --config "$config"
    wait_for 30 "lbnode on lb1" says lb1 lbnode forwarding
}
established() { "$lbnode" -i "${PREFIX}lb1" --stats --json | jq .flows.established; }
has_flows() { [ "$(established)" -ge "$flows" ]; }
agent_says() { grep -q -- "$1" "$RUN/log/lb1-lbnode.log"; }

check "no BPF file system" refuses 'no BPF file system at /sys/fs/bpf.*mount -t bpf' \
    unshare --mount sh -c 'umount -l /sys/fs/bpf; exec "$@"' - "$lbnode" -c "$config" -i "${PREFIX}other"
sed '/^services:/i tables: {flows: 64000000}' "$config" >"$SCRATCH/big.yaml"
# AddressSanitizer wants an address space without end.
[ -n "$(ldd "$lbnode" | grep libasan || true)" ] || check "a table too large for memory" refuses 'lower tables.flows' \
    prlimit --as=800000000 "$lbnode" -c "$SCRATCH/big.yaml" -i "${PREFIX}other"
check "nothing of them stays" [ ! -e "/sys/fs/bpf/holdfast/${PREFIX}other" ]

at_exit 'is_alive lb1 lbnode || restart_lbnode lb1'
start_load 1500 120
flows=$(($(established) * 9 / 10))
restart_as prlimit --memlock=0:0
check "no locked memory is needed" has_flows
restart_as unshare --time --monotonic 31536000
check "a clock that jumped by a year takes no flow" wait_for 5 "a sweep" has_flows
restart_as env
pid=$(cat "$RUN/lb1/lbnode.pid")

# While the agent is stopped, more changes than its socket holds; among them one that matters.
spine_mac() { in_ns spine1 cat /sys/class/net/lb1/address 2>/dev/null || in_ns spine1 ip -j link show lb1 | jq -r '.[0].address'; }
in_data_plane() { # MAC: some next hop's destination, as bpftool writes it
    local macs
    macs=$(printf '%d,' 0x${1//:/ 0x})
    # All of it is read: a pipe that ends early is an error here.
    [ "$(bpftool map dump pinned "/sys/fs/bpf/holdfast/${PREFIX}lb1/nexthops" | grep -c "macs\": \[$macs")" -gt 0 ]
}
first=$(awk '$2 == "spine1" && $3 == "lb1" { print $1 }' "$RUN/links")
change_mac() { # MAC: the spine's, and lb1's kernel knows it at once
    in_ns spine1 ip link set lb1 address "$1"
    in_ns lb1 ip neigh replace "$(link4 "$first" 0)" lladdr "$1" dev spine1 nud reachable
    in_ns lb1 ip neigh replace "$(link6 "$first" 0)" lladdr "$1" dev spine1 nud reachable
}
old=$(spine_mac) new=02:00:00:00:77:01
at_exit "change_mac $old"
at_exit "kill -CONT $pid"
kill -STOP "$pid"
change_mac $new
for i in {1..4000}; do printf 'addr add 10.99.0.1/32 dev lo\naddr del 10.99.0.1/32 dev lo\n'; done >"$SCRATCH/batch"
in_ns lb1 ip -batch "$SCRATCH/batch"
sleep 3 # a clock that jumps, as a process sees it that was stopped
kill -CONT "$pid"
check "news that were lost are asked for again" wait_for 30 "the new MAC" in_data_plane $new
change_mac "$old"
wait_for 30 "the old MAC again" in_data_plane "$old"
check "an agent that was stopped takes no flow" has_flows

# An interface that is renamed is gone; and is back when it has its name again.
n=$(awk '$2 == "spine2" && $3 == "lb1" { print $1 }' "$RUN/links")
rename() { # FROM TO
    in_ns lb1 ip link set "$1" down
    in_ns lb1 ip link set "$1" name "$2"
    in_ns lb1 ip link set "$2" up
    in_ns lb1 ip addr replace "$(link6 "$n" 1)/127" dev "$2" nodad
}
at_exit 'in_ns lb1 ip link show other0 >/dev/null 2>&1 && rename other0 spine2'
rename spine2 other0
check "an interface that lost its name is missed" wait_for 10 "the agent" agent_says 'interface spine2 is gone'
rename other0 spine2
check "and taken back" wait_for 10 "the agent" agent_says 'interface spine2 is back, and forwards'
wait_for 30 "routes over both links again" routing_is_settled
check "all flows are still there" has_flows
stop_load
