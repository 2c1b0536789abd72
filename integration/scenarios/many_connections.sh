#!/bin/bash
# 20,000 long-lived connections at once, each answered by one backend all the time.
source "$(dirname "$0")/../lib/scenario.sh"

client "$BIN/integration/flowload" --json -c 20000 -r 0.3 -s 10 $(all_targets) >"$SCRATCH/load.json" || true
jq -c . "$SCRATCH/load.json"
check "20,000 connections opened" [ "$(jq .opened "$SCRATCH/load.json")" = 20000 ]
check "none broke or stalled" [ "$(jq '.broken + .stalled' "$SCRATCH/load.json")" = 0 ]
check "all backends took part" [ "$(jq '.backends | length' "$SCRATCH/load.json")" = "$BACKENDS" ]
