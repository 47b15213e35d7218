# fish completion for timectl: made by `timectl completion fish` from the tree of commands.

# Prints the command that is typed so far, "whitelist add".
function __timectl_path
    set -l path
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word --config --network --socket --data-dir --timeout --reason --label --liveness --expires --source --format --for --sort --since --peer --kind --actor --subject --head --commit --nodes --seconds
            set skip 1
        else if not string match -q -- '-*' $word
            set -l longer (string join ' ' $path $word)
            contains -- $longer 'status' 'node' 'node start' 'node stop' 'node restart' 'node reload' 'node status' 'node info' 'whitelist' 'whitelist add' 'whitelist remove' 'whitelist list' 'whitelist show' 'whitelist export' 'whitelist import' 'whitelist verify' 'ban' 'ban add' 'ban remove' 'ban list' 'ban why' 'peer' 'peer list' 'peer show' 'peer history' 'peer connect' 'peer disconnect' 'slots' 'slots check' 'events' 'audit' 'audit list' 'audit verify' 'audit head' 'audit export' 'db' 'db check' 'db backup' 'db restore' 'wire' 'wire decode' 'wire encode' 'config' 'config check' 'config show' 'config example' 'config path' 'demo' 'explain' 'completion' 'version'; and set -a path $word
        end
    end
    string join ' ' $path
end

function __timectl_at
    test (__timectl_path | string collect -a) = "$argv"
end

function __timectl_live
    set -l words (commandline -opc)
    set -l node
    for i in (seq 2 (count $words))
        if contains -- $words[$i] --socket --data-dir --network --config
            set -a node $words[$i] $words[(math $i + 1)]
        else if string match -qr -- '^--(socket|data-dir|network|config)=' $words[$i]
            set -a node $words[$i]
        end
    end
    $words[1] $node __complete $argv[1] 2>/dev/null
end

complete -c timectl -f
complete -c timectl -n '__timectl_at ' -a status -d 'how is it: verdict, masternodes, slots, alerts'
complete -c timectl -n '__timectl_at ' -a node -d 'start, stop and look at the node'
complete -c timectl -n '__timectl_at ' -a whitelist -d 'which peers are masternodes and keep their connection'
complete -c timectl -n '__timectl_at ' -a ban -d 'which addresses are kept out, by whom and why'
complete -c timectl -n '__timectl_at ' -a peer -d 'the peers: state, next attempt, history'
complete -c timectl -n '__timectl_at ' -a slots -d 'how many connection slots are used, and by whom'
complete -c timectl -n '__timectl_at ' -a events -d 'what happened, and with --follow what happens'
complete -c timectl -n '__timectl_at ' -a audit -d 'who changed what, in a log that shows tampering'
complete -c timectl -n '__timectl_at ' -a db -d 'check, back up and restore the database'
complete -c timectl -n '__timectl_at ' -a wire -d 'frames of the P2P protocol to JSON lines and back'
complete -c timectl -n '__timectl_at ' -a config -d 'check, show and find the configuration'
complete -c timectl -n '__timectl_at ' -a demo -d 'a real little network on this machine: connect, lose, recover'
complete -c timectl -n '__timectl_at ' -a explain -d 'what an error code, end reason, state or event means'
complete -c timectl -n '__timectl_at ' -a completion -d 'a script that completes commands, options and addresses'
complete -c timectl -n '__timectl_at ' -a version -d 'the version of this program'
complete -c timectl -s h -l help -d 'this text, or that of a command'
complete -c timectl -l version -d 'the version'
complete -c timectl -l json -d 'one JSON object instead of text; streams: one a line'
complete -c timectl -l config -r -F -d 'use this configuration file alone'
complete -c timectl -l network -x -a 'mainnet testnet' -d 'which network\'s node'
complete -c timectl -l socket -r -F -d 'the node\'s control socket'
complete -c timectl -l data-dir -x -a '(__fish_complete_directories)' -d 'the state directory itself'
complete -c timectl -l timeout -x -d 'how long to wait for an answer or a lock (5)'
complete -c timectl -l utc -d 'print times in UTC'
complete -c timectl -l yes -d 'answer yes to what asks'
complete -c timectl -l no-color -d 'no colour (also NO_COLOR, TERM=dumb)'
complete -c timectl -s q -l quiet -d 'no hints and progress on stderr'
complete -c timectl -s v -l verbose -d 'say what is used: socket, database, config'
complete -c timectl -n '__timectl_at status' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at node' -a start -d 'start the node; returns when it listens and answers'
complete -c timectl -n '__timectl_at node' -a stop -d 'stop the node; returns when its data is closed'
complete -c timectl -n '__timectl_at node' -a restart -d 'stop the node if it runs, then start it'
complete -c timectl -n '__timectl_at node' -a reload -d 'load the configuration again, keeping connections'
complete -c timectl -n '__timectl_at node' -a status -d 'is the node running; 3 if not'
complete -c timectl -n '__timectl_at node' -a info -d 'the network information document'
complete -c timectl -n '__timectl_at node' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at node start' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at node start' -l foreground -d 'run in this process'
complete -c timectl -n '__timectl_at node start' -l passive -d 'never open a P2P connection'
complete -c timectl -n '__timectl_at node stop' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at node restart' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at node restart' -l passive -d 'never open a P2P connection'
complete -c timectl -n '__timectl_at node reload' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at node status' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at node info' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist' -a add -d 'whitelist addresses; a running node protects them at once'
complete -c timectl -n '__timectl_at whitelist' -a remove -d 'take addresses off that were added by hand'
complete -c timectl -n '__timectl_at whitelist' -a list -d 'all whitelisted addresses'
complete -c timectl -n '__timectl_at whitelist' -a show -d 'one entry with each of its sources'
complete -c timectl -n '__timectl_at whitelist' -a export -d 'the entries added by hand, as a list that `import` takes'
complete -c timectl -n '__timectl_at whitelist' -a import -d 'whitelist a whole list: the difference is shown, then all or nothing'
complete -c timectl -n '__timectl_at whitelist' -a verify -d 'is the protection in force? facts and a verdict for each peer'
complete -c timectl -n '__timectl_at whitelist' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist add' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist add' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at whitelist add' -l reason -x -d 'why; kept in the audit log'
complete -c timectl -n '__timectl_at whitelist add' -l label -x -d 'a name for the peer (one address only)'
complete -c timectl -n '__timectl_at whitelist add' -l liveness -x -a 'normal lenient never' -d 'how patient the node is with it'
complete -c timectl -n '__timectl_at whitelist add' -l expires -x -d 'remove it after this time: 30d'
complete -c timectl -n '__timectl_at whitelist add' -l dry-run -d 'say what would happen, change nothing'
complete -c timectl -n '__timectl_at whitelist remove' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist remove' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at whitelist remove' -l reason -x -d 'why; kept in the audit log'
complete -c timectl -n '__timectl_at whitelist list' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist list' -l source -x -a 'config api manual' -d 'only of this source'
complete -c timectl -n '__timectl_at whitelist show' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist show' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at whitelist export' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist export' -l format -x -a 'text json toml' -d 'the form; text if not given'
complete -c timectl -n '__timectl_at whitelist export' -l all -d 'of all sources, not the manual ones alone'
complete -c timectl -n '__timectl_at whitelist import' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist import' -F
complete -c timectl -n '__timectl_at whitelist import' -l format -x -a 'text json toml' -d 'if not given, by the name\'s ending or the content'
complete -c timectl -n '__timectl_at whitelist import' -l replace -d 'remove manual entries that are not listed'
complete -c timectl -n '__timectl_at whitelist import' -l all-sources -d 'of `whitelist list --json` also what only config or api hold'
complete -c timectl -n '__timectl_at whitelist import' -l dry-run -d 'show the difference, change nothing'
complete -c timectl -n '__timectl_at whitelist verify' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at whitelist verify' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at ban' -a add -d 'keep an address out; an open connection to it is closed'
complete -c timectl -n '__timectl_at ban' -a remove -d 'lift the bans of an address, automatic ones too'
complete -c timectl -n '__timectl_at ban' -a list -d 'all bans: of the config, by hand and automatic'
complete -c timectl -n '__timectl_at ban' -a why -d 'why an address is banned, or that it is not'
complete -c timectl -n '__timectl_at ban' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at ban add' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at ban add' -l for -x -d 'how long; without it for good'
complete -c timectl -n '__timectl_at ban add' -l reason -x -d 'why; kept in the audit log'
complete -c timectl -n '__timectl_at ban remove' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at ban remove' -a '(__timectl_live BANNED)'
complete -c timectl -n '__timectl_at ban remove' -l reason -x -d 'why; kept in the audit log'
complete -c timectl -n '__timectl_at ban list' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at ban why' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at ban why' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at peer' -a list -d 'peers with state, round trip and traffic'
complete -c timectl -n '__timectl_at peer' -a show -d 'one peer: state, quality, next attempt and why'
complete -c timectl -n '__timectl_at peer' -a history -d 'its connections and why each ended, newest first'
complete -c timectl -n '__timectl_at peer' -a connect -d 'dial a peer now, within its ledger'
complete -c timectl -n '__timectl_at peer' -a disconnect -d 'close a connection and stay away for a while'
complete -c timectl -n '__timectl_at peer' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at peer list' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at peer list' -l whitelisted -d 'only masternodes'
complete -c timectl -n '__timectl_at peer list' -l connected -d 'only with a connection'
complete -c timectl -n '__timectl_at peer list' -l banned -d 'only those that are kept out now'
complete -c timectl -n '__timectl_at peer list' -l registry -d 'the registry instead of the peers'
complete -c timectl -n '__timectl_at peer list' -l sort -x -d 'a key of the JSON: rtt_ms, loss, ...'
complete -c timectl -n '__timectl_at peer show' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at peer show' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at peer history' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at peer history' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at peer history' -l since -x -d 'only later ones: 7d, or an RFC 3339 time'
complete -c timectl -n '__timectl_at peer history' -l reason -x -a '(__timectl_live REASON)' -d 'only those that ended so'
complete -c timectl -n '__timectl_at peer connect' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at peer connect' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at peer disconnect' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at peer disconnect' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at peer disconnect' -l for -x -d 'how long, default 10m'
complete -c timectl -n '__timectl_at slots' -a check -d 'would this address be accepted now, and why'
complete -c timectl -n '__timectl_at slots' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at slots check' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at slots check' -a '(__timectl_live IP)'
complete -c timectl -n '__timectl_at events' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at events' -s f -l follow -d 'go on with live events; needs the node'
complete -c timectl -n '__timectl_at events' -l since -x -d 'only later ones: 1h, or an RFC 3339 time'
complete -c timectl -n '__timectl_at events' -l peer -x -a '(__timectl_live IP)' -d 'only of this address or label'
complete -c timectl -n '__timectl_at events' -l kind -x -a '(__timectl_live KIND)' -d 'only of this kind (timectl explain --list)'
complete -c timectl -n '__timectl_at audit' -a list -d 'the changes, the newest last'
complete -c timectl -n '__timectl_at audit' -a verify -d 'recompute the hash chain; 2 if it is broken'
complete -c timectl -n '__timectl_at audit' -a head -d 'the last row\'s hash, to note on another machine'
complete -c timectl -n '__timectl_at audit' -a export -d 'every row as one JSON object a line'
complete -c timectl -n '__timectl_at audit' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at audit list' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at audit list' -l since -x -d 'only later ones: 7d, or an RFC 3339 time'
complete -c timectl -n '__timectl_at audit list' -l actor -x -d 'a user, or operator, api, config, node'
complete -c timectl -n '__timectl_at audit list' -l subject -x -a '(__timectl_live IP)' -d 'an address or a label'
complete -c timectl -n '__timectl_at audit verify' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at audit verify' -l head -x -d '64 hex digits, from `audit head` of before'
complete -c timectl -n '__timectl_at audit head' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at audit export' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at db' -a check -d 'every page, row and hash; 74 if something is wrong'
complete -c timectl -n '__timectl_at db' -a backup -d 'one verified file, although the node goes on writing'
complete -c timectl -n '__timectl_at db' -a restore -d 'put a backup in the database\'s place; the node must be stopped'
complete -c timectl -n '__timectl_at db' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at db check' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at db backup' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at db backup' -F
complete -c timectl -n '__timectl_at db restore' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at db restore' -F
complete -c timectl -n '__timectl_at wire' -a decode -d 'frames to JSON, one object a line; 65 if one did not decode'
complete -c timectl -n '__timectl_at wire' -a encode -d 'JSON lines, as decode prints them, to raw frames'
complete -c timectl -n '__timectl_at wire' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at wire decode' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at wire decode' -F
complete -c timectl -n '__timectl_at wire decode' -l hex -d 'the input is hex digits'
complete -c timectl -n '__timectl_at wire decode' -l legacy-blocks -d 'also read blocks of before 1.3'
complete -c timectl -n '__timectl_at wire decode' -l commit -x -d 'commit count of the sender'
complete -c timectl -n '__timectl_at wire encode' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at wire encode' -F
complete -c timectl -n '__timectl_at wire encode' -l hex -d 'write hex digits'
complete -c timectl -n '__timectl_at wire encode' -l commit -x -d 'commit count of the receiver'
complete -c timectl -n '__timectl_at config' -a check -d 'every problem of a configuration at once; 78 if there is one'
complete -c timectl -n '__timectl_at config' -a show -d 'every value in force'
complete -c timectl -n '__timectl_at config' -a example -d 'a complete commented file with all defaults'
complete -c timectl -n '__timectl_at config' -a path -d 'which file is used'
complete -c timectl -n '__timectl_at config' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at config check' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at config check' -F
complete -c timectl -n '__timectl_at config show' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at config show' -l origin -d 'print where each value comes from'
complete -c timectl -n '__timectl_at config example' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at config path' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at demo' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at demo' -l nodes -x -d '2 to 20 nodes, default 3'
complete -c timectl -n '__timectl_at demo' -l seconds -x -d '12 to 600, default 40'
complete -c timectl -n '__timectl_at explain' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at explain' -a '(__timectl_live CODE)'
complete -c timectl -n '__timectl_at explain' -l list -d 'all codes with one line each'
complete -c timectl -n '__timectl_at completion' -s h -l help -d 'this text, or that of a command'
complete -c timectl -n '__timectl_at completion' -a 'bash zsh fish'
complete -c timectl -n '__timectl_at version' -s h -l help -d 'this text, or that of a command'
