# What goes over the spines, counted there by nftables: it asks none of the programs that it is about.

measure_begin() {
    local s v4 v6 nodes
    v4=$(printf '%s\n' "${VIPS[@]}" | grep -v : | paste -sd,)
    v6=$(printf '%s\n' "${VIPS[@]}" | grep : | paste -sd,)
    nodes=$(for s in $(names lb "$NODES"); do address4 "$s"; done | paste -sd,)
    measure_end
    for s in $(names spine "$SPINES"); do
        in_ns "$s" nft -f - <<END
table inet measure {
    counter to_vips { }
    counter envelopes { }
    counter gossip { }
    chain forward {
        type filter hook forward priority 0
        ip daddr { $v4 } counter name to_vips
        ip6 daddr { $v6 } counter name to_vips
        ip daddr { $nodes } udp dport 6080 counter name envelopes
        ip daddr { $nodes } meta l4proto { tcp, udp } th dport 6090 counter name gossip
        ip saddr { $nodes } tcp sport 6090 counter name gossip
    }
}
END
    done
}
measure_end() {
    local s
    for s in $(names spine "$SPINES"); do in_ns "$s" nft delete table inet measure 2>/dev/null || true; done
}

measured() { # COUNTER packets|bytes: since measure_begin
    local s
    for s in $(names spine "$SPINES"); do
        in_ns "$s" nft -j list counters table inet measure
    done | jq -s --arg c "$1" --arg what "$2" \
        '[.[].nftables[].counter | select(. and .name == $c) | .[$what]] | add // 0'
}

# Envelopes for each packet of the clients': the hops that it would not have taken.
extra_hops() {
    jq -n "$(measured envelopes packets) / ([$(measured to_vips packets), 1] | max) * 10000 | round / 10000"
}

# Records that the nodes' syncds have sent each other. A restarted one begins at 0 again, so this is called
# now and then; what one sent between the last call and its end is missed.
declare -A RECORDS_SEEN=()
RECORDS=0
count_records() {
    local x now last
    for x in $(names lb "$NODES"); do
        last=${RECORDS_SEEN[$x]:-}
        now=$(syncd_status "$x" 2>/dev/null | jq '.counters.records_sent' 2>/dev/null) || true # none runs
        [ -n "$now" ] || continue
        RECORDS_SEEN[$x]=$now
        [ -n "$last" ] || continue # the first call
        RECORDS=$((RECORDS + (now >= last ? now - last : now)))
    done
}
