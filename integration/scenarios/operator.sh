#!/bin/bash
# lbctl from one node, for all: it names what is wrong, whoever broke it; tells where a connection goes, and why; changes
# what an operator wants changed; and is fit for pipes, jq and terminals of 80 columns.
source "$(dirname "$0")/../lib/scenario.sh"
source integration/lib/announce.sh
ctl() { nsenter --net="/run/netns/${PREFIX}lb1" "$BIN/lbctl/lbctl" -i "${PREFIX}lb1" "$@"; }
# What its exit status tells is checked by itself.
ctl_json() { ctl "$@" --json 2>/dev/null || true; }
status_is() { ctl_json status | jq -e "$1" >/dev/null; } # JQ-CONDITION
is_fine() { ctl status >/dev/null; }
# The problem is told, of this node (empty: of none), with these words, and something to try.
tells() { status_is ".problems | any((.nodes | join(\" \") | contains(\"$1\")) and (.text | contains(\"$2\")) and .remedy != \"\")"; } # NODE TEXT
told() { check "$1" wait_for 15 "it to be told" tells "${@:2}"; } # WHAT NODE TEXT
well() { check "${1:-and all is fine again}" wait_for 60 "all to be fine" is_fine; }
repair() {
    local x
    # For whom it fails.
    ctl_json status | jq -r '.problems[] | "error: \(.nodes | join(" ")): \(.text)"' >&3 || true
    ctl status 2>&1 | sed 's/^/   /' || true
    kill -CONT "$(pid_of lb2 lbnode)" "$(pid_of lb2 syncd)" 2>/dev/null || true
    mend_gossip lb2
    ctl undrain node lb2 >/dev/null 2>&1
    for x in be1 +/be2; do ctl weight "$x" default >/dev/null 2>&1; done
    for x in "${VIPS[@]}"; do ctl undrain service "$x" >/dev/null 2>&1; done
    is_alive be3 responder || return_backend be3
    [ ! -e "$RUN/lb2/bird.conf.kept" ] || mv "$RUN/lb2/bird.conf.kept" "$RUN/lb2/bird.conf"
    kill -0 "$(cat "$RUN/lb2/bird.pid")" 2>/dev/null || start_bird lb2
    start_programs lb2
    restore_config
    wait_for 60 "the cluster to be whole" all_in_cluster
    wait_for 60 "lb2 to be announced" is_announced lb2
}
at_exit repair

wait_for 60 "the cluster" all_in_cluster
for x in lb1 lb2 lb3; do wait_for 60 "$x to be announced" is_announced "$x"; done
# What earlier scenarios did may be told for a minute, such as a snapshot that took too long.
check "all is fine, and the exit status says so" wait_for 90 "all to be fine" is_fine
start_load 1000 200

# As programs read it.
for command in status nodes services backends flows sync bgp counters overrides doctor; do
    ctl_json $command | jq -e . >/dev/null || fail "lbctl $command --json is no JSON"
    ctl $command >"$SCRATCH/text" || [ $? = 1 ]
    ! grep -q $'\033' "$SCRATCH/text" || fail "lbctl $command has colours in a pipe"
done
pass "everything is JSON, too, and has no colours in a pipe"
flows_are_told() { [ "$(ctl_json flows | jq '[.nodes[].backends[].pins] | add')" -ge 900 ]; }
check "flows are counted on all nodes" wait_for 10 "a sweep" flows_are_told
# TCP 80 has the load, TCP 7 none.
new_flows() { ctl_json services | jq --arg vip "${VIPS[0]}" --argjson port "$1" '[.nodes[].services[] | select(.address == $vip and .port == $port and .protocol == "tcp") | .flows] | add'; }
check "and services, each its own" [ "$(new_flows 80)" -gt 100 -a "$(new_flows 7)" = 0 ]
rate_is_told() { status_is '[.nodes[].packets_per_second] | add > 100'; }
check "and packets" wait_for 10 "a rate" rate_is_told
COLUMNS= script -qec "stty cols 80; nsenter --net=/run/netns/${PREFIX}lb1 $BIN/lbctl/lbctl -i ${PREFIX}lb1 status" /dev/null >"$SCRATCH/screen"
check "on a terminal there are colours" grep -q $'\033\[' "$SCRATCH/screen"
sed 's/\x1b\[[0-9;]*m//g; s/\r//' "$SCRATCH/screen" | awk 'length > 80' >"$SCRATCH/wide"
check "and no line is longer than 80 columns" [ ! -s "$SCRATCH/wide" ]
check "each node has a line of its own" [ "$(ctl status | grep -c '^lb[123] .* alive  *ready ')" = 3 ]

# Where a connection goes: as each node says that it does, and as its backend says it did.
client /usr/bin/python3 -u -c "
import socket, sys, time
s = socket.create_connection(('${VIPS[0]}', 80))
s.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
print(*s.getsockname(), s.recv(9000).split()[-1].decode(), flush=True)
time.sleep(60)" >"$SCRATCH/connection" &
held=$!
at_exit 'kill $held 2>/dev/null'
wait_for 10 "a connection" test -s "$SCRATCH/connection"
read -r address port backend <"$SCRATCH/connection"
ctl explain "$address:$port" "${VIPS[0]}:80" --json >"$SCRATCH/explained"
check "explain sends an open connection to where it is, from every node ($backend)" \
    jq -e --arg b "ipip/$backend" '(.ways | length == 3) and all(.ways[]; .[-1].to_backend == $b)' "$SCRATCH/explained"
check "with the reason" jq -e --arg b "ipip/$backend" '[.ways[][] | select(.pin == $b)] | length > 0' "$SCRATCH/explained"
before=$(all_counters flows_new)
check "and of one that does not exist the choice" wait_for 20 "an answer" \
    bash -c "nsenter --net=/run/netns/${PREFIX}lb1 $BIN/lbctl/lbctl -i ${PREFIX}lb1 explain --syn 192.0.2.250:4242 ${VIPS[0]}:80 --json |
        jq -e 'all(.ways[]; .[-1].to_backend == .[0].choice and .[0].pin == \"\")'"
check "explaining changes nothing" [ "$(all_counters flows_new)" = "$before" ]
ctl explain 192.0.2.250:4242 192.0.2.251:80 >"$SCRATCH/text"
check "what is no service's is said to be none's" grep -q 'no service has this address' "$SCRATCH/text"
kill $held

# What breaks is named.
kill -STOP "$(pid_of lb2 lbnode)"
told "an lbnode that hangs" lb2 'lbnode says nothing'
kill -CONT "$(pid_of lb2 lbnode)"
well
kill -STOP "$(pid_of lb2 syncd)"
told "a syncd that hangs" lb2 'syncd can'
kill -CONT "$(pid_of lb2 syncd)"
well
kill_program lb2 lbbgp
told "an lbbgp that is gone" lb2 'lbbgp says nothing'
start_lbbgp lb2
well
kill -9 "$(cat "$RUN/lb2/bird.pid")"
told "a BIRD that is gone" lb2 "can't reach BIRD"
says_nothing() { { lbctl lb2 status --json 2>/dev/null || true; } | jq -e '.nodes[] | select(.name == "lb2") | .vips == 4 and (has("vips_announced") | not)' >/dev/null; }
check "and nothing is said there of what is announced" says_nothing
start_bird lb2
well
hinder_gossip lb2 "ip saddr $(address4 lb1) tcp dport 6090 reject"
blocked() { ctl_json doctor | jq -e 'any(.[]; .about == "lb2" and .state == "bad" and (.text | contains("does not answer by TCP")))' >/dev/null; }
check "the doctor tells a firewall that lets only UDP through" wait_for 10 "the doctor's word" blocked
mend_gossip lb2
well
hinder_gossip lb2 "ip saddr $(address4 lb3) udp dport 6090 drop"
told "two nodes of which one does not hear the other, though a third hears both" lb2 'it has not heard lb3'
mend_gossip lb2
well
sed -i "s/^services:/&\n    - {address: \"${VIPS[0]}\", port: 81, protocol: tcp, pool: gue}/" "$RUN/lb2/holdfast.yaml"
if ctl diff "$RUN/lb2/holdfast.yaml" >"$SCRATCH/diff"; then fail "a difference has exit status 0"; fi
check "a difference is told before it is made" grep -q '+ 203.0.113.10 port 81 tcp' "$SCRATCH/diff"
check "one node reloads" ctl reload --node lb2
told "and has another configuration than the others" "" 'different configurations'
echo 'nonsense: 1' >>"$RUN/lb2/holdfast.yaml"
if ctl reload --node lb2 2>"$SCRATCH/text"; then fail "a bad configuration was taken"; fi
check "a bad one is refused, with the line" grep -q 'holdfast.yaml:[0-9]*' "$SCRATCH/text"
told "which is told later, too" lb2 'the last reload was refused'
restore_config
well

# What an operator does.
check "a backend is drained, for all, from one" ctl drain backend ipip/be1 --reason "new disk" --by alice --for 600
drained() { ctl_json backends --node "$1" | jq -e --arg n "$1" '.nodes[] | select(.name == $n) | .backends[] | select(.pool == "ipip" and .name == "be1") |
    .state == "drained" and .weight == 0 and .override.author == "alice" and .override.reason == "new disk"' >/dev/null; }
for x in lb1 lb2 lb3; do check "as $x knows" wait_for 10 "the drain" drained "$x"; done
ctl overrides >"$SCRATCH/text"
check "with author and reason" grep -q 'ipip/be1 .*alice.*new disk' "$SCRATCH/text"
ctl undrain backend ipip/be1
check "a weight" ctl weight be2 10
weighed() { ctl_json backends | jq -e '[.nodes[].backends[] | select(.name == "be2") | .weight] | all(. == 10) and length == 6' >/dev/null; }
check "is given in all pools" wait_for 10 "the weight" weighed
ctl weight be2 default --json >"$SCRATCH/text"
check "which is told to programs, too" jq -e '.done and .about == "+/be2"' "$SCRATCH/text"
if ctl weight be2 0 2>"$SCRATCH/error"; then fail "a weight of 0 was taken"; fi
check "none of 0, and it says what to do" grep -q 'lbctl drain backend' "$SCRATCH/error"
check "a node is drained from another" ctl drain node lb2 --by bob --reason upgrade --timeout 60
told "which is told" lb2 'is drained'
ctl events --count 200 >"$SCRATCH/text"
check "with author and reason, among the events" grep -q 'lb2 lbnode: draining.*by bob: upgrade' "$SCRATCH/text"
check "and undrained" ctl undrain node lb2
well
check "a service is drained everywhere" ctl drain service "${VIPS[1]}"
told "which is told" lb3 "drained by an operator"
ctl undrain service "${VIPS[1]}" >/dev/null
well
if ctl drain node nobody 2>"$SCRATCH/error"; then fail "a node that is none was drained"; fi
check "a node that is none is refused" grep -q 'nobody: there is no such node' "$SCRATCH/error"
code=0; ctl frobnicate 2>/dev/null || code=$?
check "wrong words are exit status 2" [ $code = 2 ]
(cd "$SCRATCH" && ctl support-bundle bundle.tar.gz >/dev/null 2>&1)
check "a bundle has it all" bash -c "tar xzOf $SCRATCH/bundle.tar.gz --wildcards '*/status.json' | jq -e .nodes"
if tar xzOf "$SCRATCH/bundle.tar.gz" | grep -qF "$(grep -v '^#' "$RUN/cluster.key" | head -1)"; then fail "the bundle holds the key"; fi
pass "but no key"
stop_load
edit_configs 's/^\( *\)encapsulation: ipip/&\n\1check: {type: tcp, interval: 0.2, timeout: 0.1, fall: 2}/'
kill_backend be3
told "a dead backend" "" 'backend be3 is down'
return_backend be3
well
restore_config

# What is no operator's word, another node's programs don't hear: here, that lbbgp should give up its place.
id=$(ctl_json nodes | jq -r '.nodes[] | select(.name == "lb2") | .id')
/usr/bin/python3 - "/run/holdfast/syncd/${PREFIX}lb1.sock" "$id" >"$SCRATCH/answer" <<'END'
import socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(5)
s.connect(sys.argv[1])
call = b"\x08\x01\x11" + struct.pack("<Q", int(sys.argv[2], 16)) + b"\x18\x03\x22\x02\x1a\x00"
s.send(b"\x3a" + bytes([len(call)]) + call)
s.recv(65536)
print(s.recv(65536))
END
check "a call can't end an lbbgp elsewhere" grep -q 'another version' "$SCRATCH/answer"
check "which goes on" is_alive lb2 lbbgp
well

# Without syncd: no more is told than is known.
kill -STOP "$(pid_of lb1 syncd)"
code=0; ctl status --json >"$SCRATCH/status" || code=$?
kill -CONT "$(pid_of lb1 syncd)"
check "a node whose syncd hangs can't tell of others, and says so" [ $code = 2 ]
check "but of itself" jq -e '.state == "unknown" and (.nodes | length == 1) and .nodes[0].ready' "$SCRATCH/status"
wait_for 60 "the cluster" all_in_cluster
