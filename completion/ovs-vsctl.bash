# Completion of ovs-vsctl in bash.
#
# What there is to complete comes from the program itself: `ovs-vsctl --commands` prints its table
# ("OPTIONS,NAME,ARGUMENTS" a line) and `ovs-vsctl --options` its options.  Names of bridges, ports,
# records and columns come from the database, if it answers within a second.

_ovs_vsctl_query() {
    ovs-vsctl --timeout=1 --no-wait --bare --no-headings "$@" 2>/dev/null
}

# The names of a table's records, where it has such.
_ovs_vsctl_records() {
    _ovs_vsctl_query --columns=name list "$1" | sed '/^$/d'
}

# What may stand for one word of a synopsis; $2 is the table that the command works on, if any.
_ovs_vsctl_candidates() {
    case $1 in
        BRIDGE | PARENT) _ovs_vsctl_query list-br ;;
        PORT | BOND) _ovs_vsctl_records Port ;;
        IFACE) _ovs_vsctl_records Interface ;;
        MODE) printf '%s\n' standalone secure ;;
        TABLE) ovsdb-client --timeout=1 --no-headings list-tables 2>/dev/null | sed '/^Table$/d; /^-*$/d' ;;
        RECORD)
            _ovs_vsctl_records "$2"
            if [ "$2" = Open_vSwitch ] || [ "$2" = SSL ]; then printf '.\n'; fi
            ;;
        COLUMN*)
            ovsdb-client --timeout=1 --no-headings list-columns "${2:-Port}" 2>/dev/null |
                sed -n 's/^\([A-Za-z][A-Za-z0-9_]*\)  *.*/\1/p'
            ;;
        zone=*) printf 'zone=\n' ;;
    esac
}

# The words of synopsis $2 that argument number $1 (from 0) may be: optional words in front of it may
# be missing, and a word that ends in "..." may be repeated.
_ovs_vsctl_words_at() {
    local -a words
    read -ra words <<<"$2"
    local at=$1 i last=$((${#words[@]} - 1)) word optional=0 repeated=-1
    for ((i = 0; i <= last; i++)); do
        word=${words[i]}
        if [[ $word == *... ]]; then repeated=$i; fi
        if ((i == at || (i < at && i == repeated) || (i > at && i <= at + optional))); then
            word=${word%...}
            # Brackets around the word, or of a group that it begins or ends; not those of "[KEY=]".
            case $word in
                *:KEY] | \[KEY=]*) ;;
                *) word=${word#[} word=${word%]} ;;
            esac
            printf '%s\n' "$word"
        fi
        # "[BRIDGE]" alone may be left out; "[PARENT VLAN]" is two words of which neither may.
        if [[ ${words[i]} == \[*\] && $i -le $at ]]; then optional=$((optional + 1)); fi
    done
}

_ovs_vsctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} i begin=1 command='' table='' given='' line
    local -a arguments=()
    COMPREPLY=()

    # bash takes "=" for a word of its own; what follows one is a value that nobody here knows.
    if [[ $cur == '=' || ${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then return; fi

    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -- ]]; then begin=$((i + 1)); fi
    done

    local commands
    commands=$(ovs-vsctl --commands 2>/dev/null) || return
    local names
    names=" $(cut -d, -f2 <<<"$commands" | tr '\n' ' ')"

    local previous=''
    for ((i = begin; i < COMP_CWORD; i++)); do
        if [[ -z $command ]]; then
            # The value of an option of the program that takes one ("-t 5") is no command.
            if [[ $names == *" ${COMP_WORDS[i]} "* && $previous != -[tfdvpcC] && $previous != '=' ]]; then
                command=${COMP_WORDS[i]}
            fi
            previous=${COMP_WORDS[i]}
            given+=" $previous"
        elif [[ ${COMP_WORDS[i]} == [=:] && ${#arguments[@]} -gt 0 ]]; then
            arguments[-1]+=${COMP_WORDS[i]}
        elif [[ ${#arguments[@]} -gt 0 && ${arguments[-1]} == *[=:] ]]; then
            arguments[-1]+=${COMP_WORDS[i]}
        else
            arguments+=("${COMP_WORDS[i]}")
        fi
    done

    local reply=''
    if [[ -z $command ]]; then
        if [[ $cur == -* ]]; then
            # Options of any command, and of the program itself in front of the first one.
            reply=$(cut -d, -f1 <<<"$commands" | tr -d '[]' | tr ' ' '\n' | sed '/^$/d' | sort -u)
            if ((begin == 1)); then reply+=$'\n'$(ovs-vsctl --options 2>/dev/null | sed 's/ ARG$//; s/=ARG$/=/'); fi
        else
            # Commands that have the options given so far.
            local option wanted=''
            for option in $given; do
                if [[ $option == --?* && "$commands" == *"[${option%%=*}"* ]]; then wanted+=" ${option%%=*}"; fi
            done
            while IFS=, read -r options name _; do
                for option in $wanted; do
                    if [[ $options != *"[$option]"* && $options != *"[$option=]"* ]]; then continue 2; fi
                done
                reply+=$name$'\n'
            done <<<"$commands"
        fi
    else
        local synopsis=''
        while IFS=, read -r _ name line; do
            if [[ $name == "$command" ]]; then synopsis=$line; fi
        done <<<"$commands"
        case $synopsis in
            TABLE*) table=${arguments[0]-} ;;
            *) table=Port ;;
        esac
        local word
        while read -r word; do
            reply+=$(_ovs_vsctl_candidates "$word" "$table")$'\n'
            if [[ $word == COLUMN* ]]; then compopt -o nospace 2>/dev/null; fi
        done < <(_ovs_vsctl_words_at "${#arguments[@]}" "$synopsis")
        # Another command may follow.
        reply+='--'
    fi
    local IFS=$'\n'
    mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$cur" | sort -u)
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}

complete -F _ovs_vsctl ovs-vsctl
