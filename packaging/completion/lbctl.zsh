#compdef lbctl
# Commands and options as `lbctl --help` lists them.
if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
    local -a commands
    commands=(${(f)"$(lbctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\).*/\1/p')"})
    compadd -a commands
elif [[ $words[CURRENT] != -* && $words[CURRENT-1] == (un|)drain ]]; then
    compadd node backend service
else
    _gnu_generic
fi
