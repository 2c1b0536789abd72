#!/bin/bash
# Reloads under traffic break no connection: backends leave and return, weights change, and a bad
# file is refused while the running configuration stays.
source "$(dirname "$0")/../lib/scenario.sh"

edit() { for x in $(names lb "$NODES"); do sed -i "$1" "$RUN/$x/holdfast.yaml"; done; }

at_exit restore_config
start_load 2000 12
edit '/name: be1,/d'
reload_all
check "new connections avoid a backend that left" \
    [ "$(who_answers "${VIPS[0]}" 300 | grep -c '^be1$')" = 0 ]
edit 's/\(name: be2,.*weight: \)100/\15/'
reload_all
check "a lighter backend gets fewer" [ "$(client "$BIN/integration/flowload" --json -c 600 -s 1 \
    "$(target_of "${VIPS[0]}" 80)" | jq '.backends.be2 // 0')" -lt 60 ]
edit 's/protocol: udp/protocol: sctp/'
reload_all
for x in $(names lb "$NODES"); do
    check "$x names file, line and key of a bad file" \
        grep -q 'holdfast.yaml:[0-9]*: protocol: .*use tcp or udp' "$RUN/log/$x-lbnode.log"
    check "$x keeps what was in force" grep -q 'stays in force' "$RUN/log/$x-lbnode.log"
done
check "and goes on serving" client curl -sgf -m 5 "$(url_of "${VIPS[0]}")"
restore_config
check "a backend that returns serves again" \
    [ "$(who_answers "${VIPS[0]}" 300 | grep -c '^be1$')" = 1 ]
end_load
