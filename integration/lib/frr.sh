# The last spine by FRR instead of BIRD (lab up --frr): the same sessions, BFD and ECMP. What it makes of weights and of
# GRACEFUL_SHUTDOWN needs no configuration of it. Without next-hop objects: the kernel takes a link that goes down out of
# a group, and 8.4.4 does not put it back, though it says so.

FRR_DAEMONS=(zebra bfdd bgpd)
frr_path() { echo "$RUN/$1/frr"; }
runs_frr() { [ -n "$FRR" ] && [ "$1" = "spine$SPINES" ]; }

frr_neighbours() { # SPINE: NAME ADDRESS4 ADDRESS6 of each
    local n a b
    while read -r n a b; do
        if [ "$b" = "$1" ]; then echo "$a $(link4 "$n" 0) $(link6 "$n" 0)"; fi
        if [ "$a" = "$1" ]; then echo "$b $(link4 "$n" 1) $(link6 "$n" 1)"; fi
    done <"$RUN/links"
}

write_frr() { # SPINE
    local other four six address
    {
        cat <<END
frr defaults traditional
hostname $1
log file $RUN/log/$1-frr.log
no zebra nexthop kernel enable
router bgp $(asn_of "$1")
 bgp router-id $(address4 "$1")
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp bestpath as-path multipath-relax
END
        while read -r other four six; do
            for address in "$four" "$six"; do
                cat <<END
 neighbor $address remote-as $(asn_of "$other")
 neighbor $address bfd 4 100 100
 neighbor $address timers 3 9
 neighbor $address timers connect 1
 neighbor $address advertisement-interval 0
END
            done
        done < <(frr_neighbours "$1")
        echo " address-family ipv4 unicast"
        echo "  network $(address4 "$1")/32"
        echo "  maximum-paths 64"
        frr_neighbours "$1" | while read -r other four six; do echo "  neighbor $four activate"; done
        echo " exit-address-family"
        echo " address-family ipv6 unicast"
        echo "  network $(address6 "$1")/128"
        echo "  maximum-paths 64"
        frr_neighbours "$1" | while read -r other four six; do
            echo "  neighbor $six activate"
            echo "  neighbor $six route-map global in"
        done
        echo " exit-address-family"
        cat <<END
exit
route-map global permit 10
 set ipv6 next-hop prefer-global
exit
route-map source4 permit 10
 set src $(address4 "$1")
exit
route-map source6 permit 10
 set src $(address6 "$1")
exit
ip protocol bgp route-map source4
ipv6 protocol bgp route-map source6
END
    } >"$RUN/$1/frr.conf"
}

start_frr() { # SPINE
    local d path; path=$(frr_path "$1")
    mkdir -p "$path"
    touch "$RUN/log/$1-frr.log"
    chown -R frr:frr "$path" "$RUN/log/$1-frr.log"
    for d in "${FRR_DAEMONS[@]}"; do
        in_ns "$1" nice -n -10 "/usr/lib/frr/$d" -d -f "$RUN/$1/frr.conf" -i "$path/$d.pid" -z "$path/zserv.api" \
            --vty_socket "$path" -A 127.0.0.1 -P 0 $([ "$d" = bfdd ] && echo --bfdctl "$path/bfdd.sock") 3>&- \
            >>"$RUN/log/$1-frr.start" 2>&1
        wait_for 10 "$d on $1" test -S "$path/$d.vty"
    done
}

frr_show() { vtysh --vty_socket "$(frr_path "$1")" -c "$2"; } # SPINE COMMAND

frr_is_settled() { # SPINE
    local peers
    peers=$(frr_show "$1" 'show bgp summary json' | jq -r '.[].peers?[]?.state')
    [ -n "$peers" ] && ! grep -qv Established <<<"$peers"
}
