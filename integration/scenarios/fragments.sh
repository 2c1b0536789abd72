#!/bin/bash
# Datagrams in fragments reach one backend whole, in whatever order their fragments come; what the
# kernel itself has to cut, since the tunnel takes less than the client's link, as well.
source "$(dirname "$0")/../lib/scenario.sh"

held=$(all_counters fragments_held)
for vip in "${VIPS[@]}"; do
    source=$(address4 client1)
    case $vip in *:*) source=$(address6 client1) ;; esac
    for order in 0,1,2 0,2,1 2,1,0 1,0,2; do
        check "fragments $order to $vip" client python3 "$TOP/integration/fragments.py" \
            "$source" "$vip" "$order" 5
    done
    check "a ping of 3,000 bytes to $vip" client ping -q -c 1 -W 2 -s 3000 "$vip"
done
check "those that came too early were held" [ "$(all_counters fragments_held)" -gt $((held + 20)) ]

whole() { # VIP: 4,000 bytes, which the client's kernel cuts to its link's MTU, and then to the tunnel's
    client python3 - "$1" <<'END'
import socket, sys
with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(1)
    s.connect((sys.argv[1], 53))
    for _ in range(5): # the first ones may be too big for the tunnel
        try:
            s.send(b"?" * 4000)
            sys.exit(not s.recv(512))
        except OSError:
            pass
sys.exit(1)
END
}
for vip in "${VIPS[@]}"; do check "4,000 bytes in one datagram to $vip" whole "$vip"; done
