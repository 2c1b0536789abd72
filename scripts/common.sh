# What the scripts share. Source it; it leaves you in the top folder of the checkout.
set -euo pipefail

CALLED_FROM=$PWD
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$TOP"
export DEBIAN_FRONTEND=noninteractive
export PATH="$PATH:/usr/sbin:/sbin"

# What must be heard even inside a command whose output is thrown away.
exec 3>&2
say() { printf '== %s\n' "$*" >&3; }
die() { printf 'error: %s\n' "$*" >&3; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "run as root: namespaces and BPF need it"; }

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
    local deadline=$((${EPOCHREALTIME%.*} + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME%.*}" -lt "$deadline" ] || die "waited in vain for $what"
        sleep 0.05
    done
}
