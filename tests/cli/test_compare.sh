#!/usr/bin/env bash
# orrery compare, over files that it writes itself and over runs of a small experiment: test_compare.sh ORRERY.
set -u
orrery=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
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
# trouble WORDS COMMAND...: exit code 2, the words in one line on stderr, nothing on stdout
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

# The sheet's example (laws/universal/representation-similarity), in all three formats, and files that are wrong.
python '
import json, math, struct, zipfile
x = [[math.sin(1 + 1.3 * i + 2.1 * j) for j in range(3)] for i in range(8)]
y = [[math.cos(.5 + 1.3 * i * c + .9 * j) for j, c in enumerate((1, 1.1, .7, 2))] for i in range(8)]
def npy(rows, shape=None):
    flat = [v for r in rows for v in r]
    shape = (len(rows), len(rows[0])) if shape is None else shape
    head = "{%r: %r, %r: False, %r: %r, }" % ("descr", "<f8", "fortran_order", "shape", tuple(shape))
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<%dd" % len(flat), *flat)
def write(name, data): open(name, "wb").write(data)
write("x.npy", npy(x)); write("y.npy", npy(y))
write("image.npy", npy(x, (8, 3, 1)))
write("seven.npy", npy(y[:7]))
bad = [list(r) for r in x]; bad[5][1] = math.nan
write("nan.npy", npy(bad))
write("empty.npy", npy([], (0, 3))); write("nothing.npy", b""); write("number.npy", npy([[1.0]], ()))
write("constant.npy", npy([[2.0, 3.0]] * 8))
with zipfile.ZipFile("x.npz", "w") as z: z.writestr("first.npy", npy(x)); z.writestr("second.npy", npy(y))
with zipfile.ZipFile("y.npz", "w") as z: z.writestr("second.npy", npy(y)); z.writestr("third.npy", npy(x))
with zipfile.ZipFile("other.npz", "w") as z: z.writestr("h.npy", npy(y)); z.writestr("g.npy", npy(x))
flat = [v for r in y for v in r]
head = json.dumps({"layer": {"dtype": "F64", "shape": [8, 4], "data_offsets": [0, 256]}}).encode()
head += b" " * (-len(head) % 8)
write("y.safetensors", struct.pack("<Q", len(head)) + head + struct.pack("<32d", *flat))
' || exit 3

numbers='import json,sys
r = json.load(sys.stdin)["comparisons"][0]
print(*["%s %.10f" % (m["metric"], m["score"]) for m in r["metrics"]])'
golden="cka 0.7092378507 cka-unbiased 0.5971224060 cka-rbf 0.7977540081 svcca 0.9841189776"
for y in y.npy y.safetensors; do
    same "$("$orrery" compare x.npy $y --metric cka --metric cka-unbiased --metric cka-rbf --metric svcca --json | python "$numbers")" "$golden" "$y"
done
same "$("$orrery" compare x.npz y.npz --a first --b second --metric procrustes --metric angle --metric rsa --metric pwcca --json | python "$numbers")" \
    "pwcca 0.9861126295 procrustes 0.5259779588 angle 0.7421590452 rsa 0.4674329502" "x.npz"
same "$("$orrery" compare x.npy y.npy --metric cka-rbf --median all --json | python "$numbers")" "cka-rbf 0.8087907504" "--median all"
same "$("$orrery" compare x.npy y.npy --metric cka-rbf --median all --bandwidth 0.5 --json | python "$numbers")" "cka-rbf 0.9100546092" "--bandwidth"
same "$("$orrery" compare x.npy y.npy --metric mutual-knn --neighbours 2 --json | python "$numbers")" "mutual-knn 0.6875000000" "--neighbours"
same "$("$orrery" compare x.npz y.npz --metric cka --permutations 0 --json | python 'import json,sys
r = json.load(sys.stdin); c = r["comparisons"]; m = c[0]["metrics"][0]
print(len(c), c[0]["a"], c[0]["inputs"], c[0]["features"], round(m["score"], 9), m["null_mean"], m["p"], m["null_exact"] > 0)')" \
    "1 second 8 [4, 4] 1.0 None None True" "arrays of the same name"
same "$("$orrery" compare image.npy x.npy --permutations 999 --metric cka --json | python 'import json,sys
m = json.load(sys.stdin)["comparisons"][0]["metrics"][0]; print(round(m["calibrated"], 9), m["p"] < 0.02)')" "1.0 True" "axes behind the first are features"
same "$("$orrery" compare constant.npy x.npy --metric cka --json | python 'import json,sys
m = json.load(sys.stdin)["comparisons"][0]["metrics"][0]; print(m["score"], m["p"])')" "None None" "features that are all the same"
expect 0 "null, exact" "$orrery" compare x.npy y.npy
expect 0 "more than 5 inputs" "$orrery" compare x.npy y.npy
expect 0 "usage: orrery compare" "$orrery" compare --help

trouble "x of x.npy has 8 inputs, seven of seven.npy has 7" "$orrery" compare x.npy seven.npy
trouble "nan.npy: nan: input 5, feature 1 is nan" "$orrery" compare nan.npy y.npy
trouble "empty.npy: empty has 0 inputs" "$orrery" compare empty.npy y.npy
trouble "nothing.npy" "$orrery" compare nothing.npy y.npy
trouble "number.npy: number is one number" "$orrery" compare number.npy y.npy
trouble "missing.npy" "$orrery" compare x.npy missing.npy
echo 1 >y.txt
trouble "expected the number of a run, or a .npy" "$orrery" compare x.npy y.txt
trouble "neither the number of a run nor a file" "$orrery" compare x.npy run2
trouble "have no array of the same name; choose with --a and --b" "$orrery" compare x.npz other.npz
trouble "fourth" "$orrery" compare x.npz y.npz --a fourth
trouble "did you mean 'cka'" "$orrery" compare x.npy y.npy --metric cka1
trouble "8 neighbours among 8 inputs" "$orrery" compare x.npy y.npy --neighbours 8
trouble "--permutations: expected a whole number" "$orrery" compare x.npy y.npy --permutations -1
trouble "--bandwidth: expected a positive number" "$orrery" compare x.npy y.npy --bandwidth 0
trouble "needs two runs or files" "$orrery" compare x.npy
expect 2 "orrery.db: can't be opened" "$orrery" compare 1 2

# ---- runs
cat >small.yaml <<'YAML'
name: small
architecture: { kind: mlp, widths: [6, 5] }
data: { kind: teacher, n: 40 }
task: mse
rule: { kind: gd, learning_rate: 0.1 }
steps: 20
observe: [ { kind: activations, examples: 40, at: [0, 20] } ]
seeds: 2
YAML
"$orrery" run small.yaml >log 2>&1 || { cat log; exit 3; }
same "$("$orrery" compare 1 2 --metric cka --json | python 'import json,sys
r = json.load(sys.stdin)
print(r["a"], r["b"], *[(c["a"], c["inputs"], c["features"]) for c in r["comparisons"]])')" \
    "run 1 run 2 ('activation.layer1', 40, [6, 6]) ('activation.layer2', 40, [5, 5]) ('activation.output', 40, [1, 1])" "two runs"
same "$("$orrery" compare 1 1 --metric cka --step 0 --a activation.layer1 --b activation.layer2 --json | python 'import json,sys
c = json.load(sys.stdin)["comparisons"]; print(len(c), 0 < c[0]["metrics"][0]["score"] < 1)')" "1 True" "layers of one run"
"$orrery" export 2 --array activation.layer1 -o layer1.npy >/dev/null
same "$("$orrery" compare 2 layer1.npy --a activation.layer1 --metric cka --json | python "$numbers")" "cka 1.0000000000" "a run and a file"
trouble "no run 99" "$orrery" compare 1 99
trouble "recorded no activations at that step" "$orrery" compare 1 2 --step 7
trouble "run 1 recorded no array 'activation.layer3'" "$orrery" compare 1 2 --a activation.layer3

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
