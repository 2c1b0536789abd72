#!/bin/bash
# lbnode's start and end: what it refuses it explains, and what it leaves forwards on.
source "$(dirname "$0")/../lib/scenario.sh"

lbnode=$BIN/lbnode/lbnode
# refuses CODE WORDS COMMAND...: on lb1, or where the command says.
refuses() {
    local code=$1 words=$2 got=0
    shift 2
    in_ns lb1 timeout 20 "$@" >"$SCRATCH/said" 2>&1 || got=$?
    cat "$SCRATCH/said"
    [ "$got" = "$code" ] && grep -q -- "$words" "$SCRATCH/said"
}
config=$RUN/lb1/holdfast.yaml
sed 's/interfaces: .*/interfaces: [nosuch0]/' "$config" >"$SCRATCH/missing.yaml"
sed 's/, weight: 100/, weight: 0/' "$config" >"$SCRATCH/weight.yaml"
sed "s|key_file: .*|key_file: $SCRATCH/no.key|" "$config" >"$SCRATCH/key.yaml"

check "a second agent of the instance" refuses 1 "another lbnode runs instance ${PREFIX}lb1, process" \
    "$lbnode" -c "$config" -i "${PREFIX}lb1"
check "another's XDP program" refuses 1 'already has an XDP program, "holdfast"' \
    "$lbnode" -c "$config" -i "${PREFIX}other"
check "nothing of it stays" [ ! -e "/sys/fs/bpf/holdfast/${PREFIX}other" ]
check "a missing interface" refuses 1 "there is no interface nosuch0" \
    "$lbnode" -c "$SCRATCH/missing.yaml" -i "${PREFIX}other"
check "a bad configuration" refuses 2 'weight: 0 is out of range; use 1 to 65535' \
    "$lbnode" -c "$SCRATCH/weight.yaml" -i "${PREFIX}other"
check "a missing key" refuses 1 "can't read the key file $SCRATCH/no.key" \
    "$lbnode" -c "$SCRATCH/key.yaml" -i "${PREFIX}other"
check "no right to load BPF" refuses 1 "CAP_BPF is missing" \
    setpriv --bounding-set=-all --inh-caps=-all "$lbnode" -c "$config" -i "${PREFIX}other"
check "--check of a good file" "$lbnode" --check "$config"
check "--check of a bad file" refuses 2 'weight.yaml:[0-9]*: pools\[0\].backends\[0\].weight' \
    "$lbnode" --check "$SCRATCH/weight.yaml"
check "unknown options" refuses 2 "Try .lbnode --help" "$lbnode" --nonsense

start_load 2000 60
for signal in KILL TERM KILL; do
    stop_lbnode lb1 $signal
    check "lb1 forwards without its agent ($signal)" \
        [ "$(in_ns lb1 ip link show spine1 | grep -c prog/xdp)" = 1 ]
    restart_lbnode lb1
done
# As an agent leaves it that dies while it takes over: its program runs, and its pins are not in place.
pins=/sys/fs/bpf/holdfast/${PREFIX}lb1
stop_lbnode lb1 KILL
for pin in "$pins"/*; do
    case ${pin##*/} in link-*) ;; *) mv "$pin" "$pins/new-${pin##*/}" ;; esac
done
restart_lbnode lb1
check "a takeover half done is ended" [ -z "$(ls "$pins" | grep ^new- || true)" ]
# And one that died before it attached anything.
stop_lbnode lb1 KILL
bpftool prog load "$BIN/integration/pass.bpf.o" "$pins/new-program" type xdp
restart_lbnode lb1
check "one that was only begun is undone" [ -z "$(ls "$pins" | grep ^new- || true)" ]
check "the flow table was taken over" \
    [ "$("$lbnode" -i "${PREFIX}lb1" --stats --json | jq .flows.established)" -gt 300 ]
stop_load

stop_lbnode lb1 TERM
cat >"$SCRATCH/notify.py" <<'END'
"""Runs a command as systemd does a Type=notify service, until it says that it is ready."""
import os, socket, subprocess, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.bind(sys.argv[1])
    s.settimeout(20)
    child = subprocess.Popen(sys.argv[2:], env=dict(os.environ, NOTIFY_SOCKET=sys.argv[1]))
    said = s.recv(4096)
    child.terminate()
    sys.exit(child.wait() or said != b"READY=1")
END
check "it tells systemd when it is ready" in_ns lb1 python3 "$SCRATCH/notify.py" "$SCRATCH/notify" \
    "$lbnode" -c "$config" -i "${PREFIX}lb1"
check "--detach" "$lbnode" -i "${PREFIX}lb1" --detach
check "leaves no program" [ "$(in_ns lb1 ip link show spine1 | grep -c prog/xdp)" = 0 ]
check "and no pins" [ ! -e "/sys/fs/bpf/holdfast/${PREFIX}lb1" ]
restart_lbnode lb1
wait_for 60 "lb1 to be announced" is_announced lb1
