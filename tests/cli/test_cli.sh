#!/usr/bin/env bash
# The command line as a user meets it: test_cli.sh ORRERY.  Each case: what is typed, the exit code, words of the answer.
set -u
orrery=$(realpath "$1")
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder" || exit 3
passed=0 failed=0

# expect CODE WORDS COMMAND...: the exit code, and that stdout and stderr together hold the words, in lines at most four
expect() {
    local code=$1 words=$2 got out
    shift 2
    out=$("$@" 2>&1 </dev/null)
    got=$?
    if [ "$got" = "$code" ] && grep -qF -- "$words" <<<"$out"; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  exit code %s, expected %s; expected words: %s\n%s\n' "$*" "$got" "$code" "$words" "$out"
    fi
}

cat >small.yaml <<'END'
name: small
architecture: { kind: mlp, widths: [8], weight_variance: 0.1 }
data: { kind: fashion-mnist, n: 40 }
task: { kind: mse }
rule: { kind: gd, learning_rate: 0.1 }
steps: 500
seeds: 3
observe: [ { kind: loss, every: 50 }, { kind: sharpness, every: 50 } ]
END
: >empty.yaml
sed 's/learning_rate/lerning_rate/' small.yaml >typo.yaml
sed 's/kind: gd/kind: gradient/' small.yaml >kind.yaml
sed 's/steps: 500/steps: many/' small.yaml >type.yaml
sed 's/seeds: 3/seeds: 2/' small.yaml >few.yaml
sed 's/widths: .8./widths: [8], activation: relu/' small.yaml >relu.yaml
printf 'name: [unclosed\n' >broken.yaml

expect 0 "edge-of-stability" "$orrery" law list
expect 0 "2103.00065" "$orrery" law show edge-of-stability
expect 0 "usage: orrery law" "$orrery" law --help
expect 0 "usage: orrery law" "$orrery" help law
expect 0 "orrery law run" "$orrery" help
expect 2 "did you mean 'law'" "$orrery" lwa
expect 2 "did you mean 'edge-of-stability'" "$orrery" law run edge-of-stabilty
expect 2 "did you mean '--size'" "$orrery" law run edge-of-stability --sise quick
expect 2 "did you mean 'quick'" "$orrery" law run edge-of-stability --size qick
expect 2 "needs a value" "$orrery" law run edge-of-stability --seeds
expect 2 "whole number" "$orrery" law run edge-of-stability --seeds three
expect 2 "typo.yaml:5:" "$orrery" law run edge-of-stability --experiment typo.yaml
expect 2 "did you mean 'learning_rate'" "$orrery" law run edge-of-stability --experiment typo.yaml
expect 2 "kind.yaml:5:" "$orrery" law run edge-of-stability --experiment kind.yaml
expect 2 "type.yaml:6:" "$orrery" law run edge-of-stability --experiment type.yaml
expect 2 "broken.yaml" "$orrery" law run edge-of-stability --experiment broken.yaml
expect 2 "empty.yaml" "$orrery" law run edge-of-stability --experiment empty.yaml
expect 2 "at least 3" "$orrery" law run edge-of-stability --experiment few.yaml
expect 2 "from 3 to" "$orrery" law run edge-of-stability --seeds 2
expect 1 "OUT OF REGIME" "$orrery" law run edge-of-stability --experiment relu.yaml
expect 2 "page no-folder/a.html: can't be written" "$orrery" law run edge-of-stability --experiment small.yaml -o no-folder/a.html
expect 2 "none.yaml" "$orrery" law run edge-of-stability --experiment none.yaml
expect 2 "no-folder" "$orrery" law run edge-of-stability --experiment small.yaml --store no-folder/orrery.db
expect 2 "text.db" sh -c "echo some text that is no database at all, and long enough to be read as one >text.db; '$orrery' law run edge-of-stability --experiment small.yaml --store text.db"

# A small run: verdict and exit code go together, the page is there, JSON is one line with nothing else.
out=$("$orrery" law run edge-of-stability --experiment small.yaml --json -o small.html 2>err.txt)
code=$?
if { [ $code = 0 ] && grep -q '"verdict":"HOLDS"' <<<"$out"; } || { [ $code = 1 ] && grep -q '"verdict":"FAILS"' <<<"$out"; }; then
    [ "$(wc -l <<<"$out")" = 1 ] && [ -s small.html ] && [ ! -s err.txt ] && [ -s orrery.db ] && passed=$((passed + 1)) ||
        { failed=$((failed + 1)); echo "FAILED: output of a small run: $out"; cat err.txt; }
else failed=$((failed + 1)); echo "FAILED: exit code $code for $out"; fi

# A map: a line for each value, also past the regime; its page; one object as JSON.
expect 0 "condition not met: the initial sharpness" "$orrery" law map edge-of-stability --experiment small.yaml --axis architecture.weight_variance=20:40:2 --store map.db
[ -s orrery-map-edge-of-stability.html ] && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "FAILED: no page of a map"; }
expect 0 '"boundaries":[' "$orrery" law map edge-of-stability --experiment small.yaml --axis steps=500:600:2 --store map.db --json -o -
expect 0 "2" sqlite3 map.db "SELECT count(*) FROM maps WHERE law = 'edge-of-stability' AND json_extract(text, '$.words') LIKE '%holds%'"
expect 2 "expected KEY=FROM:TO" "$orrery" law map edge-of-stability --axis learning_rate
expect 2 "no number of the experiment has that key" "$orrery" law map edge-of-stability --axis rate=1:2
expect 2 "the sweep of the experiment sets that key itself" "$orrery" law map edge-of-stability --axis rule.learning_rate=0.1:0.2
expect 2 "did you mean 'edge-of-stability'" "$orrery" law map edge-of-stabilty
expect 2 "is for \`law map\`" "$orrery" law run edge-of-stability --axis a=1:2
expect 2 "for one law" "$orrery" law run all --experiment small.yaml
expect 2 "from 3 to" "$orrery" law all --seeds 2

# The atlas: a law that is there already is drawn from the store; a wrong name or place is told before anything runs.
expect 2 "did you mean 'edge-of-stability'" "$orrery" atlas edge-of-stabilty
expect 2 "can't be written" "$orrery" atlas edge-of-stability -o no-folder/a.html
expect 2 "did you mean 'quick'" "$orrery" atlas --size qick
expect 0 "fashion-mnist" "$orrery" doctor --store doctor.db
expect 0 '"part":"BLAS"' "$orrery" doctor --store doctor.db --json
expect 1 "MISSING   store" "$orrery" doctor --store small.yaml
expect 0 "complete -c orrery" "$orrery" help --completion fish
man_page=$(dirname "$orrery")/orrery.1
if [ -e "$man_page" ]; then
    for c in law atlas run resume predict doctor; do expect 0 "usage: orrery $c" sed 's/\\-/-/g' "$man_page"; done
else failed=$((failed + 1)); echo "FAILED: no manual page"; fi

# Predictions without training; `laws: auto`.
{ sed '/^seeds/d' small.yaml; echo 'seeds: 1'; } >one.yaml
{ cat relu.yaml; echo 'laws: auto'; } >auto-relu.yaml
expect 0 "break_through" "$orrery" predict one.yaml --law edge-of-stability
expect 0 "out of regime:" "$orrery" predict relu.yaml
expect 0 '"in_regime":true' "$orrery" predict one.yaml --law edge-of-stability --json
expect 2 "typo.yaml:5:" "$orrery" predict typo.yaml
expect 2 "did you mean 'edge-of-stability'" "$orrery" predict small.yaml --law edge-of-stabilty
expect 2 "needs an experiment file" "$orrery" predict
cat >shares.py <<'END'
"""The shares of a run's time: of what took part, each in [0, 1], together at most 1."""
import json, sys
time = json.load(sys.stdin)["time"]
shares = [time["updates"], time["store"], *time["instruments"].values()]
print(sorted(time["instruments"]), all(0 <= s <= 1 for s in shares), sum(shares) <= 1 + 1e-12, time["seconds"] > 0)
END
expect 0 "['loss', 'sharpness'] True True True" bash -c "'$orrery' run small.yaml --jobs 2 --store shares.db --json | python3 shares.py"
expect 0 "[] True True True" bash -c "'$orrery' run small.yaml --set observe=[] --store shares.db --json | python3 shares.py"
expect 0 "time: updates " "$orrery" run small.yaml --store shares.db
expect 0 "instruments 0.0 %, store " "$orrery" run small.yaml --set observe=[] --store shares.db
expect 0 "relu has a kink" "$orrery" run auto-relu.yaml --store auto.db
expect 0 "edge-of-stability: OUT OF REGIME" "$orrery" run one.yaml --set laws=auto --store auto.db

# What the machine refuses: one clear line, exit code 3.  As another user, since root writes everywhere.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$folder"
    as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
else as_user() { "$@"; }; fi
mkdir read-only && cp small.yaml read-only/ && chmod 555 read-only
if [ -r "$orrery" ] && as_user "$orrery" version >/dev/null 2>&1; then # the build folder may be closed to others
    expect 3 "store read-only/a.db: can't be opened (Permission denied)" as_user "$orrery" law run edge-of-stability --experiment small.yaml --store read-only/a.db -o -
    expect 3 "Permission denied" as_user sh -c "cd read-only && '$orrery' law run edge-of-stability --experiment small.yaml"
    "$orrery" law run edge-of-stability --experiment small.yaml --store fixed.db -o - >/dev/null 2>&1
    chmod 444 fixed.db
    expect 3 "fixed.db" as_user "$orrery" law run edge-of-stability --experiment small.yaml --store fixed.db -o -
fi
# A limit on the size of files stands for a full disk, and a tmpfs is one where it can be had.
out=$( (ulimit -f 40; exec "$orrery" law run edge-of-stability --experiment small.yaml --store big.db --page - ) 2>&1)
code=$?
if [ $code = 3 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -q "the disk is full" <<<"$out"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "FAILED: at the limit of file size: exit code $code: $out"
fi
mkdir disk
if mount -t tmpfs -o size=160k none disk 2>/dev/null; then
    sed 's/steps: 500/steps: 200000/; s/kind: gd/kind: heavy-ball/; s/{ kind: loss, every: 50 }/{ kind: loss, every: 1 }/' small.yaml >much.yaml
    out=$("$orrery" law run edge-of-stability --experiment much.yaml --store disk/a.db -o - 2>&1)
    code=$?
    check=$(cp disk/a.db* . && sqlite3 a.db 'pragma integrity_check')
    rows=$(sqlite3 a.db 'select count(*) from predictions')
    umount disk
    if [ $code = 3 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -q "disk/a.db: the disk is full" <<<"$out" && [ "$check" = ok ] && [ "$rows" = 1 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: on a full disk: exit code $code, integrity $check, $rows predictions: $out"
    fi
fi
expect 3 "standard output" sh -c "'$orrery' law list >/dev/full"

# kill -9 in the middle: what was sealed and recorded is there, and the store goes on.
sed 's/steps: 500/steps: 2000000/; s/kind: gd/kind: heavy-ball/' small.yaml >long.yaml # whose prediction is quick
"$orrery" law run edge-of-stability --experiment long.yaml --store killed.db >/dev/null 2>&1 &
pid=$!
for _ in $(seq 400); do
    [ "$(sqlite3 -readonly killed.db 'select count(*) from series' 2>/dev/null || echo 0)" -gt 10 ] && break
    sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null
predictions=$(sqlite3 killed.db 'select count(*) from predictions where length(sha256) = 64')
rows=$(sqlite3 killed.db 'select count(*) from series')
check=$(sqlite3 killed.db 'pragma integrity_check')
if [ "$predictions" = 1 ] && [ "$rows" -gt 10 ] && [ "$check" = ok ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "FAILED: after kill -9: $predictions predictions, $rows rows, integrity $check"
fi
"$orrery" law run edge-of-stability --experiment small.yaml --store killed.db -o - >/dev/null 2>&1
[ $? -le 1 ] && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "FAILED: the store after kill -9 takes no new run"; }

# SIGINT: one clear line, exit code 3, what was recorded stays.
"$orrery" law run edge-of-stability --experiment long.yaml --store stopped.db >/dev/null 2>stopped.txt &
pid=$!
for _ in $(seq 400); do
    [ "$(sqlite3 -readonly stopped.db 'select count(*) from series' 2>/dev/null || echo 0)" -gt 10 ] && break
    sleep 0.1
done
kill -INT $pid
wait $pid
code=$?
if [ $code = 3 ] && grep -q interrupted stopped.txt && [ "$(wc -l <stopped.txt)" = 1 ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "FAILED: SIGINT: exit code $code, $(cat stopped.txt)"
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
