#!/bin/bash
# Full-sized segments fit the tunnels: lbhost clamps the SYN-ACK's MSS, so 10 MB pass both ways by
# every VIP without one packet that is too big.
source "$(dirname "$0")/../lib/scenario.sh"

head -c 10000000 /dev/urandom >"$SCRATCH/data"
there_and_back() {
    client timeout 30 ncat "$1" 7 <"$SCRATCH/data" | cmp - "$SCRATCH/data"
}
for vip in "${VIPS[@]}"; do check "10 MB to $vip and back" there_and_back "$vip"; done
for x in $(names lb "$NODES"); do
    check "nothing was too big for $x" [ "$(node_counter "$x" drop_too_big)" = 0 ]
done
clamped=0
for x in $(names be "$BACKENDS"); do
    clamped=$((clamped + $(host_counter "$x" mss_clamped)))
done
check "SYN-ACKs were clamped" [ "$clamped" -gt 0 ]
