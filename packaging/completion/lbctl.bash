# Commands and options as `lbctl --help` lists them.
_lbctl() {
    local word=${COMP_WORDS[COMP_CWORD]} help
    help=$(lbctl --help 2>/dev/null)
    case $word in
        -*) mapfile -t COMPREPLY < <(compgen -W "$(grep -o -- '--[a-z-]*' <<<"$help" | sort -u)" -- "$word") ;;
        *)
            case ${COMP_WORDS[COMP_CWORD-1]} in
                drain | undrain) mapfile -t COMPREPLY < <(compgen -W "node backend service" -- "$word") ;;
                check | diff | support-bundle) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
                lbctl) mapfile -t COMPREPLY < <(compgen -W "$(sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\).*/\1/p' <<<"$help")" -- "$word") ;;
            esac
            ;;
    esac
}
complete -F _lbctl lbctl
