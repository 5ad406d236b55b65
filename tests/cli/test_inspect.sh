#!/usr/bin/env bash
# The commands that look into a store, over the one that fill_store makes: test_inspect.sh ORRERY FILL_STORE.
set -u
orrery=$(realpath "$1")
fill=$(realpath "$2")
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder" || exit 3
unset ORRERY_STORE
passed=0 failed=0
fail() { failed=$((failed + 1)); printf 'FAILED: %s\n' "$*"; }

# expect CODE WORDS COMMAND...: the exit code, and that stdout and stderr together hold the words
expect() {
    local code=$1 words=$2 got out
    shift 2
    out=$("$@" 2>&1 </dev/null)
    got=$?
    if [ "$got" = "$code" ] && grep -qF -- "$words" <<<"$out"; then passed=$((passed + 1)); else
        fail "$*"
        printf '  exit code %s, expected %s; expected words: %s\n%s\n' "$got" "$code" "$words" "$out"
    fi
}
# trouble CODE WORDS COMMAND...: the same, on stderr, in one line, and nothing on stdout
trouble() {
    local code=$1 words=$2 got out
    shift 2
    out=$("$@" 2>err </dev/null)
    got=$?
    if [ "$got" = "$code" ] && [ -z "$out" ] && [ "$(wc -l <err)" = 1 ] && grep -qF -- "$words" err; then passed=$((passed + 1)); else
        fail "$*"
        printf '  exit code %s, expected %s; expected one line with: %s\n%s\n' "$got" "$code" "$words" "$out"
        cat err
    fi
}
same() { if [ "$1" = "$2" ]; then passed=$((passed + 1)); else fail "$3: got '$1', expected '$2'"; fi; }
python() { /usr/bin/env python3 -c "$@"; }

"$fill" orrery.db || exit 3

# ---- runs, show
for c in runs show export diff verify delete gc; do expect 0 "usage: orrery $c" "$orrery" $c --help; done
expect 0 "steep/fast" "$orrery" runs
same "$("$orrery" runs --state interrupted --json | python 'import json,sys; print([r["run"] for r in json.load(sys.stdin)])')" "[4]" "runs --state"
same "$("$orrery" runs --law edge-of-stability --json | python 'import json,sys; print([r["run"] for r in json.load(sys.stdin)])')" "[1, 2, 3]" "runs --law"
same "$("$orrery" runs --last 2 --json | python 'import json,sys; print([r["run"] for r in json.load(sys.stdin)])')" "[4, 5]" "runs --last"
same "$("$orrery" runs --experiment killed --json | python 'import json,sys; print([r["run"] for r in json.load(sys.stdin)])')" "[5]" "runs --experiment"
expect 0 "no runs like that" "$orrery" runs --state diverged
trouble 2 "did you mean 'finished'" "$orrery" runs --state finised
trouble 2 "did you mean '--state'" "$orrery" runs --stat finished
trouble 2 "whole number" "$orrery" runs --last some
trouble 2 "takes options only" "$orrery" runs 5
expect 0 "run 5: killed, seed 7" "$orrery" show
expect 0 "HOLDS" "$orrery" show 3
expect 0 "learning_rate" "$orrery" show 3
same "$("$orrery" show 1 --text)" "name: steep" "show --text"
same "$("$orrery" show 3 --json | python 'import json,sys; r=json.load(sys.stdin); print(r["settings"]["rule"]["learning_rate"], len(r["arrays"]), r["predictions"][0]["prediction"], r["verdicts"][0]["interval"])')" "0.2 4 {'threshold': 20.0} [1.03, 1.05]" "show --json"
trouble 2 "no run 99; the last are 1 (steep/slow, seed 0, finished), 2" "$orrery" show 99
trouble 2 "expected the number of a run" "$orrery" show last

# ---- report
expect 0 "2 runs, " "$orrery" report 1 2 -o two.html
content=$(python3 - two.html <<'END'
import base64, re, sys, zlib
packed = re.search('id="content">([^<]*)<', open(sys.argv[1]).read())[1]
print(zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS).decode())
END
)
grep -q 'run 1, rule' <<<"$content" && passed=$((passed + 1)) || fail "no settings on the page"
grep -q '"run":"2 ' <<<"$content" && passed=$((passed + 1)) || fail "the second run is not on the page"
expect 0 "1 run, 1 figures" "$orrery" report 1 --series loss
trouble 2 "no series 'los' in these runs" "$orrery" report 1 --series los
trouble 2 "no run 99" "$orrery" report 1 99
trouble 2 "expected the number of a run" "$orrery" report first
trouble 2 "can't be written" "$orrery" report 1 -o no-folder/a.html

# ---- export: to the bit, as other programs read it
"$orrery" export 1 --series loss >loss.csv
same "$(python 'import csv,math; r=list(csv.reader(open("loss.csv"))); print(r[0], all(float(v)==math.exp(-0.1*int(s)) for s,v in r[1:]), len(r))')" "['step', 'loss'] True 5" "export csv"
"$orrery" export 1 --series 'top, "sharpness"' -o top.csv
same "$(python 'import csv; print(list(csv.reader(open("top.csv")))[:3])')" "[['step', 'top, \"sharpness\"'], ['0', 'inf'], ['10', 'nan']]" "export csv with a name to quote"
same "$("$orrery" export 1 --series loss --format json | python 'import json,math,sys; r=json.load(sys.stdin); print(r["run"], r["step"], r["value"]==[math.exp(-0.1*s) for s in r["step"]])')" "1 [0.0, 10.0, 20.0, 30.0] True" "export json"
if python 'import numpy' 2>/dev/null; then
    "$orrery" export 1 --series loss -o loss.npy && "$orrery" export 1 --series loss -o loss.npz &&
        "$orrery" export 1 --array weights --step 20 -o w.npy && "$orrery" export 1 --array weights --format npz >w.npz
    same "$(python 'import numpy as np; a=np.load("loss.npy"); z=np.load("loss.npz"); print(a.shape, (a[:,0]==z["step"]).all(), (a[:,1]==z["value"]).all(), (abs(a[:,1]-np.exp(-0.1*a[:,0]))<1e-15).all())')" "(4, 2) True True True" "export npy and npz"
    same "$(python 'import numpy as np; a=np.load("w.npy"); z=np.load("w.npz")["weights"]; print(a.dtype, a.shape, a[1,1], z[1,1], a[0,0]==np.float32(np.exp(-2.0)))')" "float32 (2, 2) 20.0 30.0 True" "export of an array"
fi
same "$("$orrery" export 1 --array weights --step 0)" "$(printf '1,1.5\n-0.25,0')" "array as csv"
expect 0 "step,loss" "$orrery" export --series loss # of the latest run
trouble 2 "did you mean 'loss'" "$orrery" export 1 --series los
trouble 2 "it has loss, top" "$orrery" export 1 --series accuracy
trouble 2 "did you mean 'weights'" "$orrery" export 1 --array weigths
trouble 2 "no array 'weights' at step 7" "$orrery" export 1 --array weights --step 7
trouble 2 "did you mean 'csv'" "$orrery" export 1 --series loss --format cvs
trouble 2 "needs one of" "$orrery" export 1
trouble 2 "needs one of" "$orrery" export 1 --series loss --array weights
trouble 2 "needs a value" "$orrery" export 1 --series
trouble 2 "no-folder/a.csv" "$orrery" export 1 --series loss -o no-folder/a.csv

# ---- diff
expect 0 "equal to the bit (4 values)" "$orrery" diff 1 2
expect 1 "differs most by 0.233, at step 10" "$orrery" diff 1 3 # e^-1 - e^-2
expect 1 "rule.learning_rate" "$orrery" diff 1 3
same "$("$orrery" diff 1 3 --json | python 'import json,sys; r=json.load(sys.stdin); print([s["name"] for s in r["settings"]], [(i["kind"],i["equal"]) for i in r["recorded"]])')" \
    "['rule.learning_rate', 'seed', 'notes'] [('series', False), ('series', True), ('array', True), ('array', False), ('array', False), ('array', False)]" "diff --json"
expect 1 "4 and 3 values, 3 of them in both" "$orrery" diff 1 4
trouble 2 "needs the numbers of two runs" "$orrery" diff 1
trouble 2 "no run 77" "$orrery" diff 1 77

# ---- verify: who has the file can change it behind the triggers' back, but not without its being seen
expect 0 "3 experiments, 1 prediction: all as they were sealed" "$orrery" verify
expect 0 "1 experiment, 1 prediction" "$orrery" verify 2
tamper() { cp orrery.db "$1" && sqlite3 "$1" "DROP TRIGGER predictions_do_not_change; DROP TRIGGER experiment_is_sealed; DROP TRIGGER runs_keep_their_settings; $2"; }
if command -v sqlite3 >/dev/null; then
    sqlite3 orrery.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
    tamper text.db "UPDATE predictions SET text = '{\"threshold\":21.0}'"
    expect 1 "experiment 1: the prediction of edge-of-stability was changed" "$orrery" verify --store text.db
    tamper seed.db "UPDATE runs SET seed = 8 WHERE id = 4"
    expect 1 "experiment 2: the experiment, its runs" "$orrery" verify --store seed.db
    expect 0 "as they were sealed" "$orrery" verify 1 --store seed.db
    expect 1 "\"unchanged\":false" "$orrery" verify 4 --store seed.db --json
    tamper chain.db "UPDATE experiments SET seal = printf('%064d', 5) WHERE id = 1"
    expect 1 "experiment 2: " "$orrery" verify --store chain.db # its seal hashes the one before it
    tamper gone.db "DROP TRIGGER deleted_experiments_leave_their_seal; PRAGMA foreign_keys = ON; DELETE FROM experiments WHERE id = 2"
    expect 1 "experiment 3: " "$orrery" verify --store gone.db
fi

# ---- trouble with the file: one clear line, and nothing is made or changed
trouble 2 "none.db: can't be opened (No such file or directory)" "$orrery" runs --store none.db
[ ! -e none.db ] && passed=$((passed + 1)) || fail "runs made a store"
: >empty.db
trouble 2 "empty.db: is an empty file" env ORRERY_STORE=empty.db "$orrery" runs
[ ! -s empty.db ] && passed=$((passed + 1)) || fail "runs wrote into an empty file"
trouble 2 "none.db: can't be opened (No such file or directory)" "$orrery" resume 1 --store none.db
trouble 2 "empty.db: is an empty file" "$orrery" resume --store empty.db
{ [ ! -e none.db ] && [ ! -s empty.db ]; } && passed=$((passed + 1)) || fail "resume made a store"
mkdir folder.yaml
for c in run check plan predict; do trouble 2 "folder.yaml: can't be read (Is a directory)" "$orrery" $c folder.yaml; done
for c in runs report verify resume; do trouble 2 "folder.yaml: can't be opened (Is a directory)" "$orrery" $c --store folder.yaml; done
trouble 2 "folder.yaml: is a folder; name a file in it" "$orrery" export 1 --series loss -o folder.yaml
head -c 9000 /dev/zero | tr '\0' x >garbage.db
trouble 2 "garbage.db: is not a store of Orrery" "$orrery" gc --store garbage.db
same "$(tr -d x <garbage.db | wc -c) $(wc -c <garbage.db)" "0 9000" "garbage is left alone"
trouble 2 "can't be opened" "$orrery" verify --store .
cp orrery.db damaged.db
printf '\377%.0s' $(seq 3900) | dd of=damaged.db bs=1 seek=100 conv=notrunc 2>/dev/null
trouble 3 "damaged.db: the file is damaged" "$orrery" runs --store damaged.db
trouble 3 "damaged.db: the file is damaged" "$orrery" verify --store damaged.db
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then # root writes everywhere
    chmod 755 "$folder"
    as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
else as_user() { "$@"; }; fi
mkdir read-only && cp orrery.db read-only/a.db && chmod 444 read-only/a.db && chmod 555 read-only
if as_user "$orrery" version >/dev/null 2>&1; then # the build folder may be closed to others
    expect 0 "steep/fast" as_user "$orrery" runs --store read-only/a.db
    expect 0 "as they were sealed" as_user "$orrery" verify --store read-only/a.db
    trouble 3 "read-only" as_user "$orrery" delete 4 --store read-only/a.db
    trouble 3 "read-only" as_user "$orrery" gc --store read-only/a.db
    trouble 3 "read-only/b.csv" as_user "$orrery" export 1 --series loss --store read-only/a.db -o read-only/b.csv
    cmp -s orrery.db read-only/a.db && passed=$((passed + 1)) || fail "a read-only store was changed"
fi
if command -v sqlite3 >/dev/null; then # another connection that writes: readers go on, a writer waits and then says so
    cp orrery.db busy.db
    mkfifo hold
    sqlite3 busy.db <hold >held.txt &
    pid=$!
    exec 8>hold
    echo "BEGIN EXCLUSIVE; CREATE TABLE t (x); SELECT 'held';" >&8
    for _ in $(seq 100); do [ -s held.txt ] && break; sleep 0.1; done
    expect 0 "steep/fast" "$orrery" runs --store busy.db
    trouble 3 "busy.db: another process is writing to it" "$orrery" delete 4 --store busy.db
    echo "ROLLBACK;" >&8
    exec 8>&-
    wait $pid
    same "$("$orrery" runs --store busy.db --json | python 'import json,sys; print(len(json.load(sys.stdin)))')" 5 "a locked store lost nothing"
fi
# a limit on the size of files stands for a full disk
mkdir full && cp orrery.db full/a.db
limit=$(($(wc -c <full/a.db) / 1024 / 2))
out=$( (trap '' XFSZ; ulimit -f $limit; exec "$orrery" gc --store full/a.db) 2>&1)
code=$?
if [ $code = 3 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -q "the disk is full" <<<"$out"; then passed=$((passed + 1)); else fail "gc on a full disk: exit code $code: $out"; fi
expect 0 "all as they were sealed" "$orrery" verify --store full/a.db
out=$( (trap '' XFSZ; ulimit -f 0; exec "$orrery" export 1 --series loss -o full/loss.csv) 2>&1)
code=$?
if [ $code = 3 ] && [ "$(wc -l <<<"$out")" = 1 ] && [ ! -e full/loss.csv ]; then passed=$((passed + 1)); else fail "export on a full disk: exit code $code: $out"; fi
expect 3 "standard output" sh -c "'$orrery' export 1 --series loss >/dev/full"

# ---- gc and delete
expect 0 "3 checkpoints of finished runs dropped" "$orrery" gc
same "$("$orrery" runs --json | python 'import json,sys; print([r["checkpoint"] for r in json.load(sys.stdin)])')" "[None, None, None, 20, 20]" "gc keeps what can be resumed"
trouble 2 "go together: run 2 was not named" "$orrery" delete 1
trouble 2 "run 5 is running, or was killed; add --force" "$orrery" delete 4 5
trouble 2 "no run 99" "$orrery" delete 4 99
trouble 2 "needs the number of a run" "$orrery" delete
same "$("$orrery" runs --json | python 'import json,sys; print(len(json.load(sys.stdin)))')" 5 "nothing is deleted unless all can be"
expect 0 "experiment 1 is deleted" "$orrery" delete 1 --whole
expect 0 "2 experiments, 0 predictions: all as they were sealed" "$orrery" verify # the deleted one left its seal
expect 0 "deleted_experiments\":[2,3]" "$orrery" delete 4 5 --force --json
expect 0 "no runs in orrery.db" "$orrery" runs
trouble 2 "has no runs yet" "$orrery" show
expect 0 "won" "$orrery" gc

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
