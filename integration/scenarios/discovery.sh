#!/bin/bash
# Pools whose members come from a file and from DNS follow them, and keep the last good ones when the source is
# empty, wrong or gone, over a restart, too; connections don't notice.
source "$(dirname "$0")/../lib/scenario.sh"
MEMBERS=$RUN/members
# A resolver on each node, which answers for a second from a file of hosts.
DNS_PIDS=()
start_dns() { # NODE
    nsenter --net="/run/netns/$PREFIX$1" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
        --no-hosts --port=5353 --listen-address=127.0.0.1 --bind-interfaces --local-ttl=1 --user=root --pid-file= \
        --addn-hosts="$SCRATCH/hosts" --srv-host=_web._tcp.lab.test,be1.lab.test,80,0,10 \
        --srv-host=_web._tcp.lab.test,be3.lab.test,80,0,30 --local=/lab.test/ 2>>"$SCRATCH/dns.log" &
    DNS_PIDS+=($!)
}
reload_dns() { kill -HUP "${DNS_PIDS[@]}"; }
repair() {
    kill "${DNS_PIDS[@]}" 2>/dev/null
    restore_config
    rm -f "$MEMBERS"
}
at_exit repair

# The list of each pool becomes a source; the file is the IPIP pool's.
discover() { # WHAT OF-POOL-GUE
    local x
    for x in $(names lb "$NODES"); do
        awk -v file="$MEMBERS" -v dns="$2" '
            /- name: ipip/ { source = "{file: " file "}" } /- name: gue/ { source = dns }
            /^      backends:/ { print "      discover: " source; skip = 1; next }
            skip && /^          - / { next } { skip = 0; print }' "$RUN/$x/holdfast.yaml" >"$SCRATCH/$x.yaml"
        cp "$SCRATCH/$x.yaml" "$RUN/$x/holdfast.yaml"
    done
    reload_all
}
members_are() { # POOL NAME...: on all nodes
    local x
    for x in $(names lb "$NODES"); do
        [ "$(lbctl "$x" backends --node "$x" --json |
            jq -r --arg p "$1" '[.nodes[].backends // [] | .[] | select(.pool == $p) | .name] | sort | join(" ")')" = "${*:2}" ] || return 1
    done
}
put_members() { printf '%s\n' "$@" >"$MEMBERS.new" && mv "$MEMBERS.new" "$MEMBERS"; }
complains() { grep -q "pool $1: .* does not tell its members: $2" "$RUN/log/lb2-lbnode.log"; }
lines=() hosts=()
for x in $(names be "$BACKENDS"); do
    [ $(($(number_of "$x") % 2)) = 1 ] && a=$(address4 "$x") || a=$(address6 "$x")
    lines+=("$x $a") hosts+=("$a all.lab.test $x.lab.test")
done

put_members "${lines[@]}"
printf '%s\n' "${hosts[@]}" >"$SCRATCH/hosts"
for x in $(names lb "$NODES"); do start_dns "$x"; done
for x in $(names lb "$NODES"); do wait_for 60 "$x to be announced" is_announced "$x"; done
withdrawals() { cat "$RUN"/log/lb[13]-lbbgp.log | grep -c withdrawing || true; }
before=$(withdrawals)
start_load 5000 60
sleep 2
discover file '{dns: all.lab.test, server: "127.0.0.1:5353"}'
wait_for 10 "members from the file" members_are ipip be1 be2 be3 be4
wait_for 10 "members from DNS" members_are gue 192.0.2.101 192.0.2.103 2001-db8-be-2--1 2001-db8-be-4--1
pass "members come from a file, and from DNS"

put_members "${lines[@]:0:3}"
wait_for 3 "the file's change" members_are ipip be1 be2 be3
printf '%s\n' "${hosts[@]:0:3}" >"$SCRATCH/hosts"
reload_dns
wait_for 6 "DNS' change" members_are gue 192.0.2.101 192.0.2.103 2001-db8-be-2--1
pass "one leaves both"
rehash
sleep 1

put_members '# none'
wait_for 3 "a complaint about the empty file" complains ipip "it has no members"
put_members 'be1 192.0.2.1011'
sleep 1
: >"$SCRATCH/hosts"
reload_dns
wait_for 15 "a complaint about the name" complains gue ""
check "what is empty or wrong changes nothing" members_are ipip be1 be2 be3
check "in DNS neither" members_are gue 192.0.2.101 192.0.2.103 2001-db8-be-2--1
rm -f "$MEMBERS"
kill "${DNS_PIDS[@]}"
restart_programs lb2
check "nor what is gone, over a restart" members_are ipip be1 be2 be3
check "and DNS" members_are gue 192.0.2.101 192.0.2.103 2001-db8-be-2--1

put_members "${lines[@]}"
wait_for 3 "the file to be back" members_are ipip be1 be2 be3 be4
printf '%s\n' "${hosts[@]}" >"$SCRATCH/hosts"
DNS_PIDS=()
for x in $(names lb "$NODES"); do start_dns "$x"; done
wait_for 20 "DNS to be back" members_are gue 192.0.2.101 192.0.2.103 2001-db8-be-2--1 2001-db8-be-4--1
pass "both are followed again"

restore_config
discover file '{dns: _web._tcp.lab.test, type: srv, server: "127.0.0.1:5353"}'
wait_for 15 "members by SRV" members_are gue 192.0.2.101 192.0.2.103
check "with SRV's weights" backends_of lb1 '.pool == "gue" and .name == "192.0.2.103" and .configured_weight == 30'
check "no VIP was withdrawn, though pools had no members for a moment" [ "$(withdrawals)" = "$before" ]
stop_load
