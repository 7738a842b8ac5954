# Completion of ovs-conf in bash: commands and options come from the program itself, then files.

_ovs_conf() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} i command='' file='' commands reply=''
    COMPREPLY=()

    # Values of options; bash takes "=" for a word of its own.
    if [[ $cur == '=' || $previous == '=' || $previous == -t || $previous == --db || $previous == --timeout ||
        $previous == --wait || $previous == --confirm ]]; then return; fi

    commands=$(ovs-conf --commands 2>/dev/null) || return
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -t | --db | --timeout | --wait | --confirm)
                if [[ ${COMP_WORDS[i + 1]} == '=' ]]; then i=$((i + 1)); fi
                i=$((i + 1))
                ;;
            -?*) ;;
            *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else file=${COMP_WORDS[i]}; fi ;;
        esac
    done

    if [[ $cur == -* ]]; then
        reply=$(ovs-conf --help 2>/dev/null | sed -n 's/^  \(-., \)\?\(--[a-z-]*\)\(=\?\).*/\2\3/p')
    elif [[ -z $command ]]; then
        reply=$(cut -d, -f2 <<<"$commands")
    elif [[ -z $file && $commands == *",$command,[FILE]"* ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
    fi
    local IFS=$'\n'
    mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$cur" | sort -u)
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}

complete -F _ovs_conf ovs-conf
