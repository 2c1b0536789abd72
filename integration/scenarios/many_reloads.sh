#!/bin/bash
# 1,000 reloads with random changes of backends and weights under 5,000 connections: those on
# backends that stay, and on backends that left and drain, all live on.
source "$(dirname "$0")/../lib/scenario.sh"

RANDOM=3 # the same changes every time
RELOADS=1000
kept() { [ $((RANDOM % 3)) != 0 ]; }

# Puts a random part of be3 and up, with random weights for all, into a node's configuration.
shuffle() { # NODE
    local x line
    while IFS= read -r line; do
        case $line in *"{name: be"*)
            x=${line#*name: } x=${x%%,*}
            [ "$(number_of "$x")" -le 2 ] || kept || continue
            line=${line/weight: 100/weight: $((1 + RANDOM % 200))}
            ;;
        esac
        printf '%s\n' "$line"
    done <"$SCRATCH/$1.yaml" >"$RUN/$1/holdfast.yaml"
}
reloads() { grep -c ': reloaded' "$RUN/log/$1-lbnode.log" || true; }
has_reloads() { [ "$(reloads "$1")" -ge "$2" ]; }

for x in $(names lb "$NODES"); do cp "$RUN/$x/holdfast.yaml" "$SCRATCH/$x.yaml"; done
at_exit restore_config
start_load 5000 170
done_reloads=0 round=0
declare -A before
for x in $(names lb "$NODES"); do before[$x]=$(reloads "$x"); done
while [ $done_reloads -lt $RELOADS ] && is_running "$LOAD"; do
    round=$((round + 1))
    for x in $(names lb "$NODES"); do
        shuffle "$x"
        kill -HUP "$(cat "$RUN/$x/lbnode.pid")"
    done
    for x in $(names lb "$NODES"); do
        wait_for 20 "$x to reload" has_reloads "$x" $((before[$x] + round))
        done_reloads=$((done_reloads + 1))
    done
done
stop_load
check "$done_reloads reloads were made under load" [ $done_reloads -ge $RELOADS ]
