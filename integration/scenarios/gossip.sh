#!/bin/bash
# syncd on every node: they find each other, share records, and lose none when a daemon is killed, cut
# off, restarted or given new keys; what goes over the wire is unreadable, and worth nothing to who
# recorded it.
source "$(dirname "$0")/../lib/scenario.sh"

RECORDS=20000
recordload=$BIN/integration/recordload
syncd=$BIN/syncd/syncd

status() { "$syncd" --instance "$PREFIX$1" --status --json || [ $? = 1 ]; } # 1: not all is well
# The states in which NODE sees OTHERS, in order: "alive alive"
states() { # NODE OTHER...
    local x
    status "$1" >"$SCRATCH/status.json" || true
    for x in "${@:2}"; do jq -r --arg x "$x" '.members[] | select(.name == $x) | .state' "$SCRATCH/status.json"; done | xargs
}
see() { [ "$(states "$1" "$2")" = "$3" ]; } # NODE OTHER STATE
all_see() { # OTHER STATE
    local x
    for x in $(names lb "$NODES"); do [ "$x" = "$1" ] || see "$x" "$1" "$2" || return 1; done
}
all_alive() { local x; for x in $(names lb "$NODES"); do all_see "$x" alive || return 1; done; }
is_ready() { [ "$(status "$1" | jq -r '.ready')" = true ]; }
is_settled() { [ "$(status "$1" | jq -r '.settled')" = true ]; }
counter() { status "$1" | jq ".counters.$2"; }
restart_syncd() {
    : >"$RUN/log/$1-syncd.log"
    start_syncd "$1"
    wait_for 10 "syncd on $1" says "$1" syncd 'of cluster'
}
pid_of() { cat "$RUN/$1/syncd.pid"; }

# recordload stands in for them at syncd's socket.
for x in $(names lb "$NODES"); do stop_lbnode "$x" TERM; done
restart_lbnodes() { for x in $(names lb "$NODES"); do restart_lbnode "$x"; done; }
at_exit restart_lbnodes

LOADS=()
stop_loads() { [ ${#LOADS[@]} = 0 ] || kill "${LOADS[@]}" 2>/dev/null || true; LOADS=(); }
at_exit stop_loads
number() { echo "${1#lb}"; }
start_record_load() { # NODE SECONDS
    "$recordload" --instance "$PREFIX$1" --records $RECORDS --seed "$(number "$1")" --seconds "$2" \
        >"$SCRATCH/$1-load.json" &
    LOADS+=($!)
}
start_loads() { local x; for x in $(names lb "$NODES"); do start_record_load "$x" 600; done; }
# Asked at NODE: how many of those that OTHER exported are known.
found_at() { # NODE OTHER
    "$recordload" --instance "$PREFIX$1" --ask $RECORDS --ask-seed "$(number "$2")" --seconds 10 |
        tee "$SCRATCH/found.json" | jq -r '.found - .wrong'
}
knows_all() { [ "$(found_at "$1" "$2")" = $RECORDS ]; }

# What comes to a node and what leaves it goes by the rule; mend takes it away.
hinder() { # NODE RULE
    printf 'table inet gossip {\n chain in {\n type filter hook input priority 0\n %s\n }
 chain out {\n type filter hook output priority 0\n %s\n }\n}\n' "$2" "$2" | in_ns "$1" nft -f -
}
mend() { in_ns "$1" nft flush ruleset; }

repair() {
    local x
    for x in $(names lb "$NODES"); do
        mend "$x" 2>/dev/null || true
        is_alive "$x" syncd || restart_syncd "$x"
    done
}
at_exit repair

wait_for 10 "members" all_alive
pass "all nodes see all others alive"
check "the daemons run as $SYNCD_USER" [ "$(stat -c %U "/proc/$(pid_of lb1)")" = "$SYNCD_USER" ]
check "without any capability" grep -q 'CapPrm:.0000000000000000' "/proc/$(pid_of lb1)/status"
check "and none can be had" grep -q 'CapBnd:.0000000000000000' "/proc/$(pid_of lb1)/status"
check "nor new privileges" grep -q 'NoNewPrivs:.1' "/proc/$(pid_of lb1)/status"

start_loads
for x in $(names lb "$NODES"); do wait_for 10 "$x to be ready" is_ready "$x"; done
wait_for 15 "hand-over" is_settled lb1
sleep_records() { [ "$(status lb1 | jq .records)" -gt $((RECORDS)) ]; }
wait_for 10 "records at lb1" sleep_records
pass "records are shared: lb1 holds $(status lb1 | jq .records) of $((NODES * RECORDS))"

check "lb3 finds all that lb1 exported" knows_all lb3 lb1
pass "  in $(jq .ask_seconds "$SCRATCH/found.json") s for $RECORDS look-ups, none wrong"

kill -9 "$(pid_of lb2)"
began=${EPOCHREALTIME/./}
wait_for 3 "lb2 to be found dead" see lb1 lb2 dead
pass "lb2's daemon is killed, and known dead after $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
check "all of lb2's records are still found" knows_all lb3 lb2
restart_syncd lb2
wait_for 10 "lb2 to be back" all_alive
wait_for 10 "lb2 to be ready" is_ready lb2
pass "lb2 is back: $(status lb2 | jq -r .readiness)"

hinder lb3 "udp dport 6090 numgen random mod 100 < 20 drop"
before=$(counter lb1 deaths)
sleep 6 # not for something to happen, but that nothing does
check "20 % loss each way for 6 s makes nobody dead" [ "$(counter lb1 deaths)" = "$before" ]
mend lb3

hinder lb3 "udp dport 6090 drop"
wait_for 5 "lb3 to be found dead" see lb1 lb3 dead
mend lb3
began=${EPOCHREALTIME/./}
wait_for 5 "the cut to heal" all_alive
pass "lb3 is cut off, found dead, and $(((${EPOCHREALTIME/./} - began) / 1000)) ms after the cut heals it is back"

deaths=$(counter lb1 deaths)
for step in add promote retire; do
    keygen $step 2>/dev/null
    for x in $(names lb "$NODES"); do kill -HUP "$(pid_of "$x")"; done
    for x in $(names lb "$NODES"); do
        wait_for 5 "$x to reload" grep -q "reloaded: $([ $step = retire ] && echo 1 || echo 2) keys" "$RUN/log/$x-syncd.log"
    done
done
check "the key is changed under load, and nobody dies of it" [ "$(counter lb1 deaths)" = "$deaths" ]
check "no datagram was refused" [ "$(counter lb1 drop_key)" = 0 ]
check "lb1 finds all that lb3 exported" knows_all lb1 lb3

# A member's name and address, as protobuf would have them.
plain() { printf '2\x03%s:\x04' "$1" | od -An -tx1 | tr -d ' \n'; printf '%02x' $(address4 "$1" | tr . ' '); echo; }
in_ns lb1 timeout 20 python3 integration/gossip_probe.py listen 3 6090 $(for x in $(names lb "$NODES"); do plain "$x"; done) >"$SCRATCH/recorded" ||
    fail "something can be read on the wire"
count=$(wc -l <"$SCRATCH/recorded")
[ "$count" -gt 100 ] || fail "only $count datagrams were seen"
pass "nothing can be read in $count datagrams"
forged=$(counter lb1 drop_forged) replayed=$(counter lb1 drop_replayed)
incarnations=$(status lb1 | jq -c '[.members[] | [.name, .incarnation, .boot]] | sort')
in_ns be1 python3 integration/gossip_probe.py send "$(address4 lb1)" 6090 <"$SCRATCH/recorded"
in_ns be1 python3 integration/gossip_probe.py noise "$(address4 lb1)" 6090 2000 <"$SCRATCH/recorded"
counted() { [ $(($(counter lb1 drop_forged) - forged + $(counter lb1 drop_replayed) - replayed)) -ge $((count + 1500)) ]; }
wait_for 5 "recordings and forgeries to be counted" counted
check "recorded and forged ones are counted, and change nothing" [ "$(status lb1 |
    jq -c '[.members[] | [.name, .incarnation, .boot]] | sort')" = "$incarnations" ]

sed "s/gossip_address: .*/gossip_address: $(address4 be1)/" "$RUN/lb1/holdfast.yaml" >"$SCRATCH/second.yaml"
chmod 755 "$SCRATCH"
mkdir -p "$RUN/be1"
start_daemon be1 second "$syncd" --instance "${PREFIX}second" --user "$SYNCD_USER" --config "$SCRATCH/second.yaml"
second=$(cat "$RUN/be1/second.pid")
at_exit "kill -9 $second 2>/dev/null"
conflict() { status "$1" >"$SCRATCH/status.json"; jq -r '.problems[]' "$SCRATCH/status.json" | grep -q "name is also claimed from"; }
wait_for 5 "the second lb1 to see the first" conflict second
wait_for 5 "the cluster to see the second lb1" conflict lb1
pass "a second node called lb1 is refused, and both show it"
kill -9 "$second"

leaver=$(pid_of lb3)
kill -TERM "$leaver"
wait_for 8 "lb3 to leave" see lb1 lb3 left
wait_for 8 "its daemon to end" is_dead "$leaver"
! grep -q Sanitizer "$RUN/log/lb3-syncd.log" || fail "its last words: $(tail -20 "$RUN/log/lb3-syncd.log")"
pass "lb3 leaves, and says farewell"
check "all of lb3's records are still found" knows_all lb1 lb3
