# Who is where. All addresses come from ranges for documentation (RFC 5737, RFC 3849); links,
# which need many, from the range for benchmarks (RFC 2544).
#
#   clients ---- edge ==== spines ==== LB nodes (lb1, ...)
#                             \\====== backends (be1, ...)
#
# Every LB node and every backend has a link to every spine; a namespace's interfaces carry the
# names of the namespaces at their other ends.

PREFIX=hf-
RUN=/run/holdfast-lab
VIPS_IPIP=(203.0.113.10 2001:db8:cafe::10)
VIPS_GUE=(203.0.113.11 2001:db8:cafe::11)
VIPS=("${VIPS_IPIP[@]}" "${VIPS_GUE[@]}")
SOURCES_PER_CLIENT=16

MAX_SPINES=4
MAX_NODES=14
MAX_BACKENDS=99
MAX_CLIENTS=7

names() { # ROLE COUNT: role1 role2 ...
    local i
    for ((i = 1; i <= $2; i++)); do printf '%s%d ' "$1" "$i"; done
}

# The number at the end of a name: 3 of lb3; 0 of edge.
number_of() {
    local n=${1##*[a-z]}
    printf '%d' "${n:-0}"
}

role_of() { printf '%s' "${1%%[0-9]*}"; }

# The address that stands for a host on its loopback, by family.
address4() {
    local n; n=$(number_of "$1")
    case $(role_of "$1") in
    edge) echo 192.0.2.200 ;;
    spine) echo "192.0.2.$((200 + n))" ;;
    lb) echo "198.51.100.$((16 * n + 1))" ;;
    be) echo "192.0.2.$((100 + n))" ;;
    client) echo "203.0.113.$((128 + 16 * (n - 1)))" ;;
    esac
}

address6() {
    local n; n=$(number_of "$1")
    case $(role_of "$1") in
    edge) echo 2001:db8:ed::1 ;;
    spine) echo "2001:db8:5e:$n::1" ;;
    lb) echo "2001:db8:1b:$n::1" ;;
    be) echo "2001:db8:be:$n::1" ;;
    client) echo "2001:db8:c1:$n::1" ;;
    esac
}

# What a node's tunnels come from: a prefix that is routed to it.
source4() { echo "198.51.100.$((16 * $(number_of "$1")))/28"; }
source6() { echo "2001:db8:1b:$(number_of "$1")::/64"; }

client_prefix4() { echo "203.0.113.$((128 + 16 * ($(number_of "$1") - 1)))/28"; }
client_prefix6() { echo "2001:db8:c1:$(number_of "$1")::/64"; }

# Each tier is an AS of its own, as in RFC 7938.
asn_of() {
    case $(role_of "$1") in
    edge) echo 64600 ;;
    spine) echo 64601 ;;
    lb) echo 64602 ;;
    be) echo 64603 ;;
    esac
}

# Links in a fixed order: "A B", A being the side nearer to the clients.
links() {
    local c s x
    for c in $(names client "$CLIENTS"); do echo "edge $c"; done
    for s in $(names spine "$SPINES"); do
        echo "edge $s"
        for x in $(names lb "$NODES") $(names be "$BACKENDS"); do echo "$s $x"; done
    done
}
