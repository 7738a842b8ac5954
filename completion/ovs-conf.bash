# Completion of ovs-conf in bash: commands and options come from the program itself, then files.

_ovs_conf() {
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} i command='' file='' commands reply=''
    local files='^(-p|-c|-C|--(private-key|certificate|((bootstrap|peer)-)?ca-cert))$'
    local values='^(-t|--(db|timeout|wait|confirm|ssl-protocols|ssl-ciphers))$'
    COMPREPLY=()

    # Values of options; bash takes "=" for a word of its own.
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $option == '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ ! $option =~ $files && ! $option =~ $values ]]; then
        option=''
    fi
    if [[ $option =~ $files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
    if [[ -n $option ]]; then return; fi

    commands=$(ovs-conf --commands 2>/dev/null) || return
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} =~ $files || ${COMP_WORDS[i]} =~ $values ]]; then
            if [[ ${COMP_WORDS[i + 1]} == '=' ]]; then i=$((i + 1)); fi
            i=$((i + 1))
        elif [[ ${COMP_WORDS[i]} != -?* ]]; then
            if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else file=${COMP_WORDS[i]}; fi
        fi
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
