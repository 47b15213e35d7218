# bash completion for timectl: made by `timectl completion bash` from the tree of commands.

_timectl_commands() {
  case $1 in
    '') echo 'status node whitelist refresh ban peer slots sync diagnose report alerts events top audit db wire config demo explain completion version' ;;
    'node') echo 'start stop restart reload status info' ;;
    'whitelist') echo 'add remove list show pending approve reject suggest export import verify' ;;
    'ban') echo 'add remove list why' ;;
    'peer') echo 'list show history score connect disconnect' ;;
    'slots') echo 'check' ;;
    'sync') echo 'status watch peers fork pause resume' ;;
    'diagnose') echo 'peer node log facts' ;;
    'alerts') echo 'list ack silence test rules' ;;
    'audit') echo 'list verify head export' ;;
    'db') echo 'check backup restore' ;;
    'wire') echo 'decode encode' ;;
    'config') echo 'check show example path' ;;
  esac
}

_timectl_options() {
  case $1 in
    'version') echo '-h --help' ;;
    'completion') echo '-h --help' ;;
    'explain') echo '-h --help --list' ;;
    'demo') echo '-h --help --nodes --seconds' ;;
    'config path') echo '-h --help' ;;
    'config example') echo '-h --help' ;;
    'config show') echo '-h --help --origin' ;;
    'config check') echo '-h --help' ;;
    'config') echo '-h --help' ;;
    'wire encode') echo '-h --help --hex --commit' ;;
    'wire decode') echo '-h --help --hex --legacy-blocks --commit' ;;
    'wire') echo '-h --help' ;;
    'db restore') echo '-h --help' ;;
    'db backup') echo '-h --help' ;;
    'db check') echo '-h --help' ;;
    'db') echo '-h --help' ;;
    'audit export') echo '-h --help' ;;
    'audit head') echo '-h --help' ;;
    'audit verify') echo '-h --help --head' ;;
    'audit list') echo '-h --help --since --actor --subject' ;;
    'audit') echo '-h --help' ;;
    'top') echo '-h --help --interval --once' ;;
    'events') echo '-h --help -f --follow --since --peer --kind' ;;
    'alerts rules') echo '-h --help' ;;
    'alerts test') echo '-h --help' ;;
    'alerts silence') echo '-h --help --peer --object --for --reason' ;;
    'alerts ack') echo '-h --help' ;;
    'alerts list') echo '-h --help --all --limit' ;;
    'alerts') echo '-h --help' ;;
    'report') echo '-h --help --since --format' ;;
    'diagnose facts') echo '-h --help' ;;
    'diagnose log') echo '-h --help -f --follow --all --since' ;;
    'diagnose node') echo '-h --help --facts' ;;
    'diagnose peer') echo '-h --help --probe --from --force-probe --facts' ;;
    'diagnose') echo '-h --help' ;;
    'sync resume') echo '-h --help' ;;
    'sync pause') echo '-h --help' ;;
    'sync fork') echo '-h --help --accept --limit' ;;
    'sync peers') echo '-h --help' ;;
    'sync watch') echo '-h --help --until-synced' ;;
    'sync status') echo '-h --help' ;;
    'sync') echo '-h --help' ;;
    'slots check') echo '-h --help' ;;
    'slots') echo '-h --help' ;;
    'peer disconnect') echo '-h --help --for' ;;
    'peer connect') echo '-h --help' ;;
    'peer score') echo '-h --help' ;;
    'peer history') echo '-h --help --since --reason' ;;
    'peer show') echo '-h --help' ;;
    'peer list') echo '-h --help --whitelisted --connected --banned --registry --sort --at' ;;
    'peer') echo '-h --help' ;;
    'ban why') echo '-h --help' ;;
    'ban list') echo '-h --help' ;;
    'ban remove') echo '-h --help --reason' ;;
    'ban add') echo '-h --help --for --reason' ;;
    'ban') echo '-h --help' ;;
    'refresh') echo '-h --help --dry-run --history' ;;
    'whitelist verify') echo '-h --help' ;;
    'whitelist import') echo '-h --help --format --replace --all-sources --dry-run' ;;
    'whitelist export') echo '-h --help --format --all' ;;
    'whitelist suggest') echo '-h --help' ;;
    'whitelist reject') echo '-h --help --all --list' ;;
    'whitelist approve') echo '-h --help --all --list' ;;
    'whitelist pending') echo '-h --help' ;;
    'whitelist show') echo '-h --help' ;;
    'whitelist list') echo '-h --help --source' ;;
    'whitelist remove') echo '-h --help --reason' ;;
    'whitelist add') echo '-h --help --reason --label --liveness --expires --dry-run' ;;
    'whitelist') echo '-h --help' ;;
    'node info') echo '-h --help' ;;
    'node status') echo '-h --help' ;;
    'node reload') echo '-h --help' ;;
    'node restart') echo '-h --help --passive' ;;
    'node stop') echo '-h --help' ;;
    'node start') echo '-h --help --foreground --passive' ;;
    'node') echo '-h --help' ;;
    'status') echo '-h --help --at' ;;
    *) echo '-h --help --version --json --config --network --socket --data-dir --timeout --utc --yes --no-color -q --quiet -v --verbose' ;;
  esac
}

# The type of what an option ("PATH --OPTION") or the arguments of a command ("PATH") take.
_timectl_type() {
  case $1 in
    *' --config') echo 'FILE' ;;
    *' --network') echo 'mainnet|testnet' ;;
    *' --socket') echo 'FILE' ;;
    *' --data-dir') echo 'DIR' ;;
    *' --timeout') echo 'SECONDS' ;;
    'status --at') echo 'TIME' ;;
    'whitelist add') echo 'IP' ;;
    'whitelist add --reason') echo 'TEXT' ;;
    'whitelist add --label') echo 'NAME' ;;
    'whitelist add --liveness') echo 'normal|lenient|never' ;;
    'whitelist add --expires') echo 'DURATION' ;;
    'whitelist remove') echo 'IP' ;;
    'whitelist remove --reason') echo 'TEXT' ;;
    'whitelist list --source') echo 'config|api|manual' ;;
    'whitelist show') echo 'IP' ;;
    'whitelist approve') echo 'IP' ;;
    'whitelist approve --list') echo 'HASH' ;;
    'whitelist reject') echo 'IP' ;;
    'whitelist reject --list') echo 'HASH' ;;
    'whitelist export --format') echo 'text|json|toml' ;;
    'whitelist import') echo 'FILE' ;;
    'whitelist import --format') echo 'text|json|toml' ;;
    'whitelist verify') echo 'IP' ;;
    'ban add') echo 'ADDRESS' ;;
    'ban add --for') echo 'DURATION' ;;
    'ban add --reason') echo 'TEXT' ;;
    'ban remove') echo 'BANNED' ;;
    'ban remove --reason') echo 'TEXT' ;;
    'ban why') echo 'IP' ;;
    'peer list --sort') echo 'KEY' ;;
    'peer list --at') echo 'TIME' ;;
    'peer show') echo 'IP' ;;
    'peer history') echo 'IP' ;;
    'peer history --since') echo 'TIME' ;;
    'peer history --reason') echo 'REASON' ;;
    'peer score') echo 'IP' ;;
    'peer connect') echo 'IP' ;;
    'peer disconnect') echo 'IP' ;;
    'peer disconnect --for') echo 'DURATION' ;;
    'slots check') echo 'IP' ;;
    'sync fork --limit') echo 'N' ;;
    'diagnose peer') echo 'IP' ;;
    'diagnose peer --from') echo 'ADDRESS' ;;
    'diagnose log') echo 'FILE' ;;
    'diagnose log --since') echo 'TIME' ;;
    'diagnose facts') echo 'FILE' ;;
    'report --since') echo 'TIME' ;;
    'report --format') echo 'table|markdown' ;;
    'alerts list --limit') echo 'N' ;;
    'alerts ack') echo 'ALERT' ;;
    'alerts silence') echo 'RULE' ;;
    'alerts silence --peer') echo 'IP' ;;
    'alerts silence --object') echo 'NAME' ;;
    'alerts silence --for') echo 'DURATION' ;;
    'alerts silence --reason') echo 'TEXT' ;;
    'alerts test') echo 'SINK' ;;
    'events --since') echo 'TIME' ;;
    'events --peer') echo 'IP' ;;
    'events --kind') echo 'KIND' ;;
    'top --interval') echo 'SECONDS' ;;
    'audit list --since') echo 'TIME' ;;
    'audit list --actor') echo 'NAME' ;;
    'audit list --subject') echo 'IP' ;;
    'audit verify --head') echo 'HASH' ;;
    'db backup') echo 'FILE' ;;
    'db restore') echo 'FILE' ;;
    'wire decode') echo 'FILE' ;;
    'wire decode --commit') echo 'N' ;;
    'wire encode') echo 'FILE' ;;
    'wire encode --commit') echo 'N' ;;
    'config check') echo 'FILE' ;;
    'demo --nodes') echo 'N' ;;
    'demo --seconds') echo 'S' ;;
    'explain') echo 'CODE' ;;
    'completion') echo 'bash|zsh|fish' ;;
  esac
}

_timectl() {
  local line=${COMP_LINE:0:COMP_POINT} path='' wants='' word cur type
  local -a words=() node=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local last=$((${#words[@]} - 1))
  cur=${words[last]}
  COMPREPLY=()
  local i
  for ((i = 1; i < last; i++)); do
    word=${words[i]}
    if [[ -n $wants ]]; then
      case $wants in --socket | --data-dir | --network | --config) node+=("$wants" "$word") ;; esac
      wants=''
    elif [[ $word == --*=* ]]; then
      case $word in --socket=* | --data-dir=* | --network=* | --config=*) node+=("$word") ;; esac
    elif [[ $word == -* ]]; then
      [[ -n $(_timectl_type "$path $word") ]] && wants=$word
    elif [[ " $(_timectl_commands "$path") " == *" $word "* ]]; then
      path=${path:+$path }$word
    fi
  done

  local values=''
  if [[ -n $wants ]]; then
    type=$(_timectl_type "$path $wants")
  elif [[ $cur == -* ]]; then
    values="$(_timectl_options "$path") $(_timectl_options '')"
  else
    values=$(_timectl_commands "$path")
    type=$(_timectl_type "$path")
  fi
  case ${type:-} in
    FILE) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null ;;
    DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames 2>/dev/null ;;
    ALERT | IP | BANNED | CODE | REASON | KIND | RULE | SINK)
      values+=" $("${words[0]}" "${node[@]}" __complete "$type" 2>/dev/null | cut -f 1)" ;;
    *'|'*) values+=" ${type//|/ }" ;;
  esac
  if [[ -n $values ]]; then
    local -a more=()
    mapfile -t more < <(compgen -W "$values" -- "$cur")
    COMPREPLY+=("${more[@]}")
  fi
  # readline replaces only what stands after the last colon of the word.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    local before=${cur%"${cur##*:}"}
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$before"}; done
  fi
}

complete -F _timectl timectl
