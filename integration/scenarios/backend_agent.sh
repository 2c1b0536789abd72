#!/bin/bash
# lbhost unwraps only what nodes send, works beside the host's own traffic, survives SIGKILL,
# is taken over by the next one, and leaves nothing behind on SIGTERM.
source "$(dirname "$0")/../lib/scenario.sh"

xdp_is() { # yes|no
    local found=no
    in_ns be1 ip link show spine1 | grep -q 'prog/xdp' && found=yes
    [ "$found" = "$1" ]
}
clamp_is() {
    local found=no
    in_ns be1 tc filter show dev spine1 egress | grep -q holdfast_out && found=yes
    [ "$found" = "$1" ]
}
stop_lbhost() { # SIGNAL
    local pid; pid=$(cat "$RUN/be1/lbhost.pid")
    kill "-$1" "$pid"
    wait_for 10 "lbhost to end" is_dead "$pid"
}
restart_lbhost() {
    local args
    mapfile -d '' args <"$SCRATCH/cmdline"
    : >"$RUN/log/be1-lbhost.log"
    start_daemon be1 lbhost "${args[@]}"
    wait_for 10 "lbhost on be1" says be1 lbhost decapsulating
}

cp "/proc/$(cat "$RUN/be1/lbhost.pid")/cmdline" "$SCRATCH/cmdline"

before=$(host_counter be1 drop_source)
client python3 - "$(address4 be1)" "${VIPS[0]}" <<'END'
import socket, sys
inner = bytes.fromhex("4500001c00004000401100000a000001") + socket.inet_aton(sys.argv[2]) + bytes(8)
with socket.socket(socket.AF_INET, socket.SOCK_RAW, 4) as s:
    s.sendto(inner, (sys.argv[1], 0))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.sendto(bytes([0, 4, 0, 0]) + inner, (sys.argv[1], 6080))
END
check "tunnel packets of a client's are counted and dropped" \
    wait_for 5 "both drops" eval '[ "$(host_counter be1 drop_source)" = $((before + 2)) ]'
check "the host's own traffic goes on" client ping -q -c 1 -W 2 "$(address4 be1)"
check "and its own connections" timeout 5 nsenter --net="/run/netns/${PREFIX}be1" \
    ping -q -c 1 -W 2 "$(address4 client1)"

start_load 500 8
stop_lbhost KILL
check "killed, it still unwraps" xdp_is yes
restart_lbhost
check "another takes over" xdp_is yes
end_load

stop_lbhost TERM
check "stopped, its XDP program is gone" xdp_is no
check "and its filter" clamp_is no
check "and its pins" [ ! -e "/sys/fs/bpf/holdfast/${PREFIX}be1" ]
restart_lbhost
check "started again, it is attached" xdp_is yes
check "and clamps" clamp_is yes
