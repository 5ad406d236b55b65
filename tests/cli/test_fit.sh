#!/usr/bin/env bash
# orrery fit, over tables of the user's own: test_fit.sh ORRERY.
set -u
orrery=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 3
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
# trouble WORDS COMMAND...: exit code 2, one line on stderr with the words, nothing on stdout
trouble() {
    local words=$1 got out
    shift
    out=$("$@" 2>err </dev/null)
    got=$?
    if [ "$got" = 2 ] && [ -z "$out" ] && [ "$(wc -l <err)" = 1 ] && grep -qF -- "$words" err; then passed=$((passed + 1)); else
        fail "$*"
        printf '  exit code %s, expected 2; expected one line with: %s\n%s\n' "$got" "$words" "$out"
        cat err
    fi
}
same() { if [ "$1" = "$2" ]; then passed=$((passed + 1)); else fail "$3: got '$1', expected '$2'"; fi; }
python() { /usr/bin/env python3 -c "$@"; }

# ---- scaling: a table without noise, of the constants of Hoffmann et al. 2022
python '
print("N,tokens,loss")
for i in range(8):
    for j in range(8):
        n, d = 10 ** (7 + 3 * i / 7), 10 ** (9 + 2.5 * j / 7)
        print(f"{n:.17g},{d:.17g},{1.69 + 406.4 * n ** -0.34 + 410.7 * d ** -0.28:.17g}")' >losses.csv
scaling() { "$orrery" fit scaling losses.csv --loss loss --params N --data tokens "$@"; }
expect 0 "usage: orrery fit scaling" "$orrery" fit --help
expect 0 "alpha                0.34   [0.34, 0.34]" scaling
expect 0 "N* ~ C^0.4516, D* ~ C^0.5484, L* - E ~ C^-0.1535" scaling
expect 0 "N*              3.219e+10" scaling --compute 5.76e23
expect 0 "D*             2.9823e+12" scaling --compute 5.76e23
expect 0 "the 16 others are predicted to" scaling
same "$(scaling --compute 5.76e23 --resamples 50 --json | python 'import json,sys; r=json.load(sys.stdin); c=r["constants"]; o=r["optimum"]
print([round(c[k]["value"],5) for k in ("E","alpha","beta")], round(o["loss"]["value"],6), len(o["params"]["interval"]), r["rows"], r["resamples"], r["extrapolation"]["held"])')" \
    "[1.69, 0.34, 0.28] 1.930748 2 64 50 16" "fit scaling --json"
same "$(scaling --json | python 'import json,sys; r=json.load(sys.stdin); print(r["optimum"])')" "None" "no budget, no optimum"
same "$(scaling --json)" "$(scaling --json)" "the same numbers again"
trouble "no column 'los' among its 3; did you mean 'loss'?" "$orrery" fit scaling losses.csv --loss los --params N --data tokens
trouble "needs --data, the name of a column" "$orrery" fit scaling losses.csv --loss loss --params N
trouble "--steps belongs to fit batch" scaling --steps loss
trouble "did you mean 'scaling'" "$orrery" fit scalling losses.csv
trouble "needs what to fit" "$orrery" fit
trouble "needs a CSV file" "$orrery" fit scaling
trouble "--compute: expected a positive number such as 5.76e23, met '-1'" scaling --compute -1
trouble "--compute: expected a positive number" scaling --compute many
trouble "did you mean '--compute'" scaling --compte 1e20
trouble "--resamples: expected a whole number from 40" scaling --resamples 3
trouble "none.csv" "$orrery" fit scaling none.csv --loss a --params b --data c
row5() { awk -v row="$1" 'NR==5{print row; next}{print}' losses.csv >changed.csv; }
changed() { "$orrery" fit scaling changed.csv --loss loss --params N --data tokens; }
row5 '1e7,1e9,-2.5'
trouble "changed.csv:5: column 'loss': -2.5; expected a positive, finite number" changed
row5 '1e7,0,2.5'
trouble "changed.csv:5: column 'tokens': 0; expected a positive" changed
row5 '1e7,1e9,two'
trouble "changed.csv:5: column 'loss': expected a number such as -1.5e3, met \"two\"" changed
row5 '1e7,1e9,'
trouble "changed.csv:5: column 'loss': missing" changed
row5 '1e7,1e9'
trouble "changed.csv:5: 2 fields; expected 3" changed
head -5 losses.csv >changed.csv
trouble "changed.csv: 4 rows; this fit needs at least 6" changed
head -9 losses.csv >changed.csv
trouble "column 'N' has 1 different value; this fit needs at least 3" changed
: >changed.csv
trouble "the file is empty" changed

# ---- batch: S = 100 (1 + 32/B)
printf 'B,S,E\n' >steps.csv
for b in 2 4 8 16 32 64 128 256; do python "b=$b; s=100*(1+32/b); print(f'{b},{s:.17g},{b*s:.17g}')"; done >>steps.csv
expect 0 "B_crit            32" "$orrery" fit batch steps.csv --batch B --steps S
expect 0 "E_min           3200" "$orrery" fit batch steps.csv --batch B --steps S
same "$("$orrery" fit batch steps.csv --batch B --examples E --json | python 'import json,sys; r=json.load(sys.stdin); print(round(r["critical_batch"],6), round(r["steps_min"],6), round(r["exponent"],6), r["max_log_residual"]<1e-9, len(r["rows"]))')" \
    "32.0 100.0 1.0 True 8" "fit batch --examples --json"
trouble "needs --batch" "$orrery" fit batch steps.csv --steps S
trouble "needs one of --steps and --examples" "$orrery" fit batch steps.csv --batch B
trouble "needs one of --steps and --examples" "$orrery" fit batch steps.csv --batch B --steps S --examples E
trouble "--compute belongs to fit scaling" "$orrery" fit batch steps.csv --batch B --steps S --compute 1e20
trouble "no column 'Steps'" "$orrery" fit batch steps.csv --batch B --steps Steps
printf 'B,S\n1,10\n2,-8\n4,7\n' >changed.csv
trouble "changed.csv:3: column 'S': -8; expected a positive, finite number" "$orrery" fit batch changed.csv --batch B --steps S
printf 'B,S\n1,10\n2,8\n' >changed.csv
trouble "2 rows; this fit needs at least 3" "$orrery" fit batch changed.csv --batch B --steps S
printf 'B,S\n2,10\n2,8\n2,9\n4,7\n' >changed.csv
trouble "column 'B' has 2 different values" "$orrery" fit batch changed.csv --batch B --steps S
printf 'B,S\n128,10\n256,9\n512,8.5\n1024,8.3\n' >changed.csv
expect 0 "E_min is not determined" "$orrery" fit batch changed.csv --batch B --steps S
printf 'B,S\n1,100\n4,90\n16,40\n64,40\n' >changed.csv
expect 0 "these are no hyperbola" "$orrery" fit batch changed.csv --batch B --steps S

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
