#!/bin/bash
# Prometheus finds each program's metrics on the loopback device: well-formed, true, and all that the alert rules name.
source "$(dirname "$0")/../lib/scenario.sh"
ports() { echo 9160 9161 9162; } # lbnode, syncd, lbbgp
scrape() { in_ns "$1" curl -sf -m 5 "http://127.0.0.1:$2/metrics"; } # NODE PORT
value() { scrape "$1" "$2" | awk -v name="$3" '$1 == name { print $2 }'; } # NODE PORT METRIC
status_of() { in_ns lb1 curl -s -m 5 -o /dev/null -w '%{http_code}' "$@"; }

wait_for 60 "the cluster" all_in_cluster
wait_for 60 "lb1 to be announced" is_announced lb1
start_load 1000 60
for port in $(ports); do scrape lb1 "$port"; done >"$SCRATCH/metrics"
check "all three are well-formed, and have what alert rules and dashboard name" \
    bash -c "/usr/bin/python3 integration/lint_metrics.py packaging/prometheus/holdfast.rules.yml packaging/grafana/holdfast.json <$SCRATCH/metrics"
has_flows() { [ "$(value lb1 9160 'holdfast_flows{state="established"}')" -gt 100 ]; }
check "flows are counted" wait_for 5 "a sweep" has_flows
same_as_stats() { [ "$(value lb1 9160 'holdfast_flows_new_total')" = "$(node_counter lb1 flows_new)" ]; }
check "counters are those of --stats" same_as_stats
check "backends are up" [ "$(value lb1 9160 'holdfast_backend_up{pool="gue",backend="be1"}')" = 1 ]
check "the node is ready" [ "$(value lb1 9160 holdfast_lbnode_ready)" = 1 ]
check "three members are alive" [ "$(scrape lb1 9161 | grep -c '^holdfast_member_alive.* 1$')" = 3 ]
check "four VIPs are announced" [ "$(scrape lb1 9162 | grep -c '^holdfast_vip_announced.* 1$')" = 4 ]
check "to four sessions" [ "$(scrape lb1 9162 | grep -c '^holdfast_bgp_session_up.* 1$')" = 4 ]
check "nothing else is served" [ "$(status_of http://127.0.0.1:9160/)" = 404 ]
check "nothing is written" [ "$(status_of -X POST http://127.0.0.1:9160/metrics)" = 405 ]
check "and not to others" [ "$(status_of "http://$(address4 lb1):9160/metrics")" = 000 ]
# Many at once, and half a request.
for i in {1..40}; do scrape lb1 9160 >/dev/null 2>&1 & pids[i]=$!; done
# More than it takes, idle for longer than it waits.
in_ns lb1 timeout 9 bash -c 'for i in {10..40}; do eval "exec $i<>/dev/tcp/127.0.0.1/9160"; done; printf "GET /met" >&10; sleep 7' || true
for pid in "${pids[@]}"; do wait "$pid" || true; done
check "it still answers" scrape lb1 9160
stop_load
