#!/usr/bin/env bash
# The command that takes hyperparameters to another width: test_transfer.sh ORRERY.
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
rows() { # KEY...: of every parameter, from JSON
    python3 -c 'import json,sys
for r in json.load(sys.stdin)["parameters"]: print(r["name"], *["%g" % r[k] for k in sys.argv[1:]])' "$@"
}

cat >mlp.yaml <<'YAML'
name: mlp
architecture: { kind: mlp, widths: [64, 64], activation: relu, weight_variance: 2 }
data: { kind: gaussian, n: 64, dimension: 8, outputs: 3 }
task: { kind: mse }
rule: { kind: sgd, learning_rate: 1, weight_decay: 1 }
steps: 10
YAML
cat >transformer.yaml <<'YAML'
name: transformer
architecture: { kind: transformer, width: 64, heads: 4, depth: 1 }
data: { kind: modular-arithmetic }
task: { kind: cross-entropy }
rule: { kind: adamw, learning_rate: 1, weight_decay: 1 }
steps: 10
YAML

# ---- the golden multipliers of the sheet mup-transfer: n_0 = 64, n = 512
expect 0 "usage: orrery transfer" "$orrery" transfer --help
expect 0 "base_widths: [64, 64]" "$orrery" transfer mlp.yaml --width 512
same "$("$orrery" transfer mlp.yaml --width 512 --json | rows initial_variance multiplier learning_rate weight_decay)" \
    "layer1.weight 0.25 1 8 0.125
layer1.bias 0 1 8 0.125
layer2.weight 0.00390625 1 1 1
layer2.bias 0 1 8 0.125
layer3.weight 0.03125 0.125 8 0.125
layer3.bias 0 1 1 1" "sgd: variance, multiplier, rate, decay"
same "$("$orrery" transfer mlp.yaml --width 512 --set 'rule={ kind: adamw, learning_rate: 1, weight_decay: 1 }' --json | rows learning_rate weight_decay)" \
    "layer1.weight 1 1
layer1.bias 1 1
layer2.weight 0.125 8
layer2.bias 1 1
layer3.weight 1 1
layer3.bias 1 1" "adamw: rate, decay"
# d_model x 8, d_ffn x 4
same "$("$orrery" transfer mlp.yaml --width 512,256 --json | rows learning_rate weight_decay | sed -n 3p)" "layer2.weight 0.5 2" "unequal widths, sgd"
same "$("$orrery" transfer mlp.yaml --width 256,512 --set rule.kind=adamw --set rule.learning_rate=1 --set rule.weight_decay=1 --json | rows learning_rate weight_decay | sed -n 3p)" \
    "layer2.weight 0.25 4" "unequal widths, adamw"
expect 0 "architecture.base_head=16" "$orrery" transfer transformer.yaml --width 512
same "$("$orrery" transfer transformer.yaml --width 512 --json | rows learning_rate weight_decay | grep -E 'query.weight|mlp1.bias|readout|embedding')" \
    "embedding.weight 1 1
block1.query.weight 0.125 8
block1.mlp1.bias 1 1
readout.weight 1 1
readout.bias 1 1" "transformer"

# ---- at its own width, nothing changes; a base width that the file has stays
same "$("$orrery" transfer mlp.yaml --width 64 --json | rows multiplier learning_rate weight_decay | cut -d' ' -f2- | sort -u)" "1 1 1" "the file's own width"
same "$("$orrery" transfer mlp.yaml --width 512 --set 'parameterization={ kind: mup, base_width: 128 }' --json | rows learning_rate | sed -n 1p)" "layer1.weight 4" "a base of its own"

# ---- what it prints is what a file takes
"$orrery" transfer mlp.yaml --width 512 --json | python3 -c 'import json,sys
for s in json.load(sys.stdin)["settings"]: print(s)' >sets
args=()
while read -r line; do args+=(--set "$line"); done <sets
expect 0 "1 point" "$orrery" check mlp.yaml "${args[@]}"

# ---- the coordinate check, measured
expect 0 "flat" "$orrery" transfer mlp.yaml --width 512 --check --set rule.learning_rate=0.01 --set rule.weight_decay=0 \
    --set parameterization.readout_scale=0.1
same "$("$orrery" transfer mlp.yaml --width 256 --check --json --set rule.learning_rate=0.05 --set rule.weight_decay=0 | python3 -c 'import json,sys
c=json.load(sys.stdin)["check"]; print(c["widths"], sorted({r["layer"] for r in c["slopes"]}), len(c["slopes"]))')" \
    "[64.0, 128.0, 256.0] ['layer1', 'layer2', 'output'] 12" "check --json"
[ ! -e orrery.db ] && passed=$((passed + 1)) || fail "the check left a store"

# ---- mistakes, each told in a line
trouble 2 "needs --width" "$orrery" transfer mlp.yaml
trouble 2 "needs an experiment file" "$orrery" transfer
trouble 2 "takes a whole number" "$orrery" transfer mlp.yaml --width wide
trouble 2 "takes a whole number" "$orrery" transfer mlp.yaml --width 1,2,3
trouble 2 "did you mean '--width'" "$orrery" transfer mlp.yaml --widht 12
trouble 2 "has no width" "$orrery" transfer mlp.yaml --width 12 --set 'architecture={ kind: diagonal-linear }'
trouble 2 "L2 inside adam doesn't transfer" "$orrery" transfer mlp.yaml --width 128 --set 'rule={ kind: adam, learning_rate: 1, weight_decay: 1, decay_coupling: gradient }'
trouble 2 "the rule is muon" "$orrery" transfer mlp.yaml --width 128 --set 'rule={ kind: muon, learning_rate: 1 }'
trouble 2 "has no learning rate" "$orrery" transfer mlp.yaml --width 128 --set 'rule={ kind: gradient-flow }'
trouble 2 "starts from standard or mup" "$orrery" transfer mlp.yaml --width 128 --set 'parameterization={ kind: ntk }'
trouble 2 "heads don't divide" "$orrery" transfer transformer.yaml --width 130
trouble 2 "no.yaml: can't be opened" "$orrery" transfer no.yaml --width 12
expect 2 "at least 4 times the file's, 256" "$orrery" transfer mlp.yaml --width 128 --check

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
