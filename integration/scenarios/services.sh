#!/bin/bash
# Every service answers, in both families and tunnels, TCP and UDP, from every backend, over every node.
source "$(dirname "$0")/../lib/scenario.sh"

backends=$(names be "$BACKENDS" | sed 's/ *$//')
for vip in "${VIPS[@]}"; do
    check "HTTP by $vip" grep -qx 'be[0-9]*' <(client curl -sg -m 5 "$(url_of "$vip")")
    check "ping $vip" client ping -q -c 1 -W 2 "$vip"
    check "echo by $vip" client "$BIN/integration/flowload" -c 50 -s 1 "$(target_of "$vip" 7)"
    check "DNS and plain UDP by $vip" client python3 "$TOP/integration/udp_client.py" "$vip" 40
    check "all backends answer for $vip" \
        [ "$(who_answers "$vip" 200 | sort -V | xargs)" = "$backends" ]
done
for x in $(names lb "$NODES"); do
    check "$x forwards flows" [ "$(node_counter "$x" flows_new)" -gt 100 ]
    check "$x drops nothing" [ "$(node_drops "$x")" = 0 ]
done
check "the data plane answered the pings" [ "$(all_counters echo_answered)" -ge ${#VIPS[@]} ]
