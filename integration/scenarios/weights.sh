#!/bin/bash
# Unequal-cost multipath: nodes of weights 50, 100 and 150 get so much of the traffic, from a spine by BIRD, which goes by
# the large community, and from one by FRR, which goes by the link bandwidth. By the spines' kernels, and by new flows.
source "$(dirname "$0")/../lib/scenario.sh"
source integration/lib/announce.sh
repair() {
    local x
    NODE_WEIGHTS=()
    restore_config
    for x in $(names lb "$NODES"); do reload_lbbgp "$x"; done
    wait_for 20 "weights to be equal again" has_weights 1 1 1
}
at_exit repair

# The next hops' weights in a spine's kernel, as shares in thousandths, in the order of the nodes.
shares() { # SPINE VIP
    local family=-4; case $2 in *:*) family=-6 ;; esac
    in_ns "$1" ip -j $family route show "$2" | jq -c '[.[].nexthops // [] | .[] | {dev, weight}] | sort_by(.dev) |
        (map(.weight) | add) as $all | map(.weight * 1000 / $all | round)'
}
# They are these parts of the whole, within a hundredth: FRR's are in percent.
has_weights() { # PART...
    local s vip
    for s in $(names spine "$SPINES"); do
        for vip in "${VIPS[@]}"; do
            shares "$s" "$vip" | jq -e --argjson want "[$(IFS=,; echo "$*")]" '
                ($want | add) as $all | . as $have | length == ($want | length) and
                all(range(length); ($have[.] - $want[.] * 1000 / $all) | fabs <= 10)' >/dev/null || return 1
        done
    done
}
# Within 5 % of the part that is due to it.
got_its_part() { # NODE PART
    jq -n "($(node_counter "$1" flows_new) - ${before[$1]}) / ($total * $2) | . > 0.95 and . < 1.05" | grep -q true
}

[ "$NODES" = 3 ] || fail "this is about three nodes"
wait_for 60 "the cluster" all_in_cluster
for x in $(names lb "$NODES"); do wait_for 60 "$x to be announced" is_announced "$x"; done
check "nodes of equal weights are equal" wait_for 20 "weights" has_weights 1 1 1
NODE_WEIGHTS=([lb1]=50 [lb2]=100 [lb3]=150)
restore_config
for x in $(names lb "$NODES"); do reload_lbbgp "$x"; done
check "the spines' kernels have the nodes' weights" wait_for 20 "weights" has_weights 1 2 3
for s in $(names spine "$SPINES"); do printf '   %s: %s\n' "$s" "$(shares "$s" "${VIPS[0]}")"; done

declare -A before=()
for x in $(names lb "$NODES"); do before[$x]=$(node_counter "$x" flows_new); done
client "$BIN/integration/flowload" --json -c 20000 -s 1 -r 1 $(all_targets) >"$SCRATCH/weights.json" || fail "the load: $(cat "$SCRATCH/weights.json")"
total=0
for x in $(names lb "$NODES"); do total=$((total + $(node_counter "$x" flows_new) - before[$x])); done
for x in $(names lb "$NODES"); do printf '   %s: %d of %d new flows\n' "$x" $(($(node_counter "$x" flows_new) - before[$x])) $total; done
part=0
for x in $(names lb "$NODES"); do
    part=$((part + 1))
    check "$x got its $part of 6 parts of the flows, within 5 %" got_its_part "$x" "$part/6"
done
