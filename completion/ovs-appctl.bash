# Completion of ovs-appctl in bash: targets are the daemons with a pidfile in the run directory,
# commands those that the target lists.

_ovs_appctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} i target=ovs-vswitchd command='' file
    local reply=''
    COMPREPLY=()

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -t | --target)
                if [[ ${COMP_WORDS[i + 1]} == '=' ]]; then i=$((i + 1)); fi
                i=$((i + 1))
                target=${COMP_WORDS[i]}
                ;;
            -T | --timeout | --format)
                if [[ ${COMP_WORDS[i + 1]} == '=' ]]; then i=$((i + 1)); fi
                i=$((i + 1))
                ;;
            -*) ;;
            *) command=${COMP_WORDS[i]} ;;
        esac
    done

    if [[ $previous == -t || $previous == --target ||
        ($previous == '=' && ${COMP_WORDS[COMP_CWORD - 2]} == --target) ]]; then
        for file in "${OVS_RUNDIR:-/run/openvswitch}"/*.pid; do
            if [[ -e $file ]]; then
                file=${file##*/}
                reply+=${file%.pid}$'\n'
            fi
        done
    elif [[ -n $command ]]; then
        return
    elif [[ $cur == -* ]]; then
        reply=$(ovs-appctl --help 2>/dev/null | sed -n 's/^  \(-., \)\?\(--[a-z-]*\)\(=\?\).*/\2\3/p')
    else
        reply=$(ovs-appctl --timeout=1 -t "$target" list-commands 2>/dev/null | sed -n '2,$s/^ *\([^ ]*\).*/\1/p')
    fi
    local IFS=$'\n'
    mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$cur" | sort -u)
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}

complete -F _ovs_appctl ovs-appctl
