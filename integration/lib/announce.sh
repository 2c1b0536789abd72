# What nodes announce: asked of lbbgp, and of the spines' kernels.

ALL_VIPS=$(IFS=,; echo "${VIPS[*]}")
spine_namespaces() { local s list=(); for s in $(names spine "$SPINES"); do list+=("$PREFIX$s"); done; (IFS=,; echo "${list[*]}"); }

# Milliseconds from the command's start until the spines' kernels have it so, as JSON by spine.
fib_time() { # gone|there VIP[,VIP...] NODE COMMAND...
    /usr/bin/python3 "$TOP/integration/fib_time.py" "$1" "$2" "$3" "${FIB_PATIENCE:-20}" "$(spine_namespaces)" -- "${@:4}"
}

bgp_status() { "$BIN/bgp/lbbgp" -i "$PREFIX$1" --status --json 2>/dev/null || [ $? = 1 ]; } # NODE
bgp_is() { bgp_status "$1" | jq -e "$2" >/dev/null; }                                          # NODE JQ-CONDITION
bgp_problem() { bgp_status "$1" | jq -e --arg p "$2" '.problems | any(contains($p))' >/dev/null; } # NODE TEXT
bgp_is_well() { bgp_is "$1" '.settled and (.problems | length == 0)'; }

# It holds for a while; by polling, since there is nothing to wait for.
stays() { # SECONDS COMMAND...
    local deadline=$((${EPOCHREALTIME%.*} + $1))
    while [ "${EPOCHREALTIME%.*}" -lt "$deadline" ]; do "${@:2}" >/dev/null 2>&1 || return 1; sleep 0.05; done
}

edit_config() { sed -i "$2" "$RUN/$1/holdfast.yaml"; } # NODE SED-SCRIPT
reload_lbbgp() { # NODE
    local before; before=$(grep -c -E 'reloaded|reload refused' "$RUN/log/$1-lbbgp.log" || true)
    kill -HUP "$(pid_of "$1" lbbgp)"
    wait_for 10 "lbbgp on $1 to reload" lbbgp_has_reloaded "$1" "$before"
}
lbbgp_has_reloaded() { [ "$(grep -c -E 'reloaded|reload refused' "$RUN/log/$1-lbbgp.log")" -gt "$2" ]; }
