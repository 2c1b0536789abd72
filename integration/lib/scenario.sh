# What scenarios share. A scenario is one file with one claim; it runs in a lab that is up, leaves it
# as it found it, and exits 0 if the claim holds.
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"
for part in topology network bird frr holdfast faults measure; do source "integration/lib/$part.sh"; done
source "$RUN/sizes"

SCRATCH=$(mktemp -d)
LOAD=
CLAIM= # what is being checked
CLEANUPS=()
LOGS_BEFORE=$(wc -c "$RUN"/log/*.log)

# at_exit COMMAND: puts the lab back as it was, also when the scenario fails or is interrupted.
at_exit() { CLEANUPS+=("$1"); }
clean_up() {
    local status=$? i
    if [ $status != 0 ] && [ $status != 130 ]; then
        [ -z "$CLAIM" ] || printf 'error: failed: %s\n' "$CLAIM" >&3
        show_logs >&3
    fi
    [ -z "$LOAD" ] || kill "$LOAD" 2>/dev/null || true
    for ((i = ${#CLEANUPS[@]} - 1; i >= 0; i--)); do eval "${CLEANUPS[i]}" || true; done
    rm -rf "$SCRATCH"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

pass() {
    CLAIM=
    printf 'PASS: %s\n' "$*"
    LOGS_BEFORE=$(wc -c "$RUN"/log/*.log)
}
fail() {
    CLAIM=
    printf 'error: failed: %s\n' "$*" >&3
    exit 1
}
# What the daemons have said since the last claim that held.
show_logs() {
    local log size
    for log in "$RUN"/log/*.log; do
        size=$(awk -v path="$log" '$2 == path { print $1 }' <<<"$LOGS_BEFORE")
        tail -c "+$((${size:-0} + 1))" "$log" | tail -12 | sed "s/^/   $(basename "$log" .log): /"
    done
}

# check WHAT COMMAND...: the claim's parts, one a line.
check() {
    CLAIM=$1
    shift
    if "$@" >"$SCRATCH/output" 2>&1; then pass "$CLAIM"; else
        tail -20 "$SCRATCH/output" >&2
        fail "$CLAIM"
    fi
}

client() { in_ns client1 "$@"; }

url_of() { case $1 in *:*) echo "http://[$1]/" ;; *) echo "http://$1/" ;; esac; }

target_of() { case $1 in *:*) echo "[$1]:$2" ;; *) echo "$1:$2" ;; esac; }

all_targets() { for vip in "${VIPS[@]}"; do target_of "$vip" 80; done; }

# The value of a data plane's counter, or of lbhost's, by name.
node_counter() { "$BIN/lbnode/lbnode" -i "$PREFIX$1" --stats --json | jq ".counters.$2"; }
host_counter() { "$BIN/lbhost/lbhost" -i "$PREFIX$1" --stats --json | jq ".counters.$2"; }

all_counters() { # NAME: of all nodes together
    local x total=0
    for x in $(names lb "$NODES"); do total=$((total + $(node_counter "$x" "$1"))); done
    echo $total
}

# The same of what nodes tell each other.
all_sharing() { # NAME
    local x total=0
    for x in $(names lb "$NODES"); do
        total=$((total + $("$BIN/lbnode/lbnode" -i "$PREFIX$x" --stats --json | jq ".sharing.$1")))
    done
    echo $total
}

node_drops() {
    "$BIN/lbnode/lbnode" -i "$PREFIX$1" --stats --json |
        jq '[.counters | to_entries[] | select(.key | startswith("drop_")) | .value] | add'
}

# Starts the load in the background; its report goes to $SCRATCH/load.json.
start_load() { # CONNECTIONS SECONDS
    # Not by in_ns: $! must be the load itself.
    nsenter --net="/run/netns/${PREFIX}client1" "$BIN/integration/flowload" --json -c "$1" -s "$2" \
        $(all_targets) >"$SCRATCH/load.json" 2>"$SCRATCH/load.log" &
    LOAD=$!
    wait_for 30 "$1 connections" load_is_open "$1"
}

open_connections() { client ss -Htn state established '( dport = :80 )' | wc -l; }
load_is_open() { [ "$(open_connections)" -ge "$1" ]; }

# Ends the load now, instead of after its time.
stop_load() {
    kill -TERM "$LOAD" 2>/dev/null || true
    end_load
}

# Waits for the load to end; fails if a connection broke or stalled.
end_load() {
    local report
    wait "$LOAD" || true
    LOAD=
    report=$(jq -c '[.connections, .broken, .stalled, .longest_gap_ms]' "$SCRATCH/load.json")
    [ "$(jq '.broken + .stalled' "$SCRATCH/load.json")" = 0 ] || { head -20 "$SCRATCH/load.log" >&2; false; } ||
        fail "broken connections: $(jq -c . "$SCRATCH/load.json")"
    pass "no connection broke or stalled; [connections, broken, stalled, longest gap ms] = $report"
}

# Who answers NEW connections, by name, from so many tries.
who_answers() { # VIP TRIES
    client "$BIN/integration/flowload" --json -c "$2" -s 1 -r 2 "$(target_of "$1" 80)" | jq -r '.backends | keys[]'
}

reload_node() { # NODE: and wait until it says so
    local before
    before=$(grep -c -E 'reloaded|reload refused' "$RUN/log/$1-lbnode.log" || true)
    kill -HUP "$(cat "$RUN/$1/lbnode.pid")"
    wait_for 10 "$1 to reload" has_reloaded "$1" "$before"
}

has_reloaded() { [ "$(grep -c -E 'reloaded|reload refused' "$RUN/log/$1-lbnode.log")" -gt "$2" ]; }

reload_all() { for x in $(names lb "$NODES"); do reload_node "$x"; done; }

# Puts every node's configuration back as the lab made it.
restore_config() {
    for x in $(names lb "$NODES"); do write_node_config "$x"; done
    reload_all
}

stop_lbnode() { # NODE SIGNAL
    local pid; pid=$(cat "$RUN/$1/lbnode.pid")
    kill "-$2" "$pid"
    wait_for 10 "lbnode on $1 to end" is_dead "$pid"
}

is_running() { kill -0 "$1" 2>/dev/null; }
is_dead() { ! is_running "$1"; }

restart_lbnode() { # NODE
    : >"$RUN/log/$1-lbnode.log"
    start_lbnode "$1"
    wait_for 30 "lbnode on $1" says "$1" lbnode forwarding
}
