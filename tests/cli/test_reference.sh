#!/usr/bin/env bash
# What help says of the tables of kinds, and that the committed pages are current: test_reference.sh ORRERY ROOT
set -u
orrery=$(realpath "$1") root=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
fail() { failed=$((failed + 1)); echo "FAILED: $*"; }

"$root/tools/make-reference" "$orrery" "$folder/reference" || fail "the pages can't be written"
diff -r "$root/docs/reference" "$folder/reference" >"$folder/difference.txt" 2>&1 ||
    fail "docs/reference is not what the program says: run make docs" "$(head -20 "$folder/difference.txt")"
while read -r topic; do
    "$orrery" help "$topic" >/dev/null || fail "orrery help $topic"
    [ "$topic" = experiment ] || "$orrery" help "$topic" | sed -n 's/^  \([a-z][^ ]*\) .*/\1/p' | while read -r kind; do
        "$orrery" help "$topic" "$kind" | grep -q "kind: $kind" || echo "orrery help $topic $kind"
    done >>"$folder/kinds.txt"
done < <("$orrery" help --topics)
[ ! -s "$folder/kinds.txt" ] || fail "no help of these: $(cat "$folder/kinds.txt")"
"$orrery" help observe | grep -q "^instrument:" || fail "a key of the file is a topic too"

# Completion, as a shell runs it.
complete_words() { # the words before the cursor -> what is offered
    bash -c 'eval "$("$1" help --completion bash)"; shift; PATH=$(dirname "$orrery"):$PATH; COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1)); _orrery 2>/dev/null; echo "${COMPREPLY[*]}"' - "$orrery" "$@"
}
export orrery
[ "$(complete_words orrery che)" = check ] || fail "commands are completed: $(complete_words orrery che)"
[ "$(complete_words orrery help archi)" = architecture ] || fail "topics are completed"
[ "$(complete_words orrery help architecture ml)" = mlp ] || fail "kinds are completed"
[ "$(complete_words orrery check a.yaml --set rule.learning_r | tr ' ' '\n' | sort -u)" = rule.learning_rate= ] || fail "keys are completed"
[ "$(complete_words orrery check --js)" = --json ] || fail "options are completed: $(complete_words orrery check --js)"
bash -n <("$orrery" help --completion bash) || fail "the script for bash is a script"
"$orrery" help --completion zsh | head -1 | grep -q "^#compdef orrery" || fail "zsh is told what it completes"

expect() { # CODE WORDS COMMAND...
    local code=$1 words=$2 out
    shift 2
    out=$("$@" 2>&1 </dev/null)
    local got=$?
    [ "$got" = "$code" ] && grep -qF -- "$words" <<<"$out" || fail "$*: exit code $got, expected $code; expected words: $words; $out"
}
cd "$folder" || exit 3
cat >a.yaml <<'END'
name: a
architecture: { kind: mlp, widths: [8] }
data: { kind: fashion-mnist, n: 40 }
task: mse
rule: { kind: gd, learning_rate: 0.1 }
steps: 5
laws: [ edge-of-stability ]
sweep: { grid: { rule.learning_rate: [0.1, 0.2], data.n: [10, 20, 30] } }
END
sed 's/kind: gd/kind: gdd/; s/edge-of-stability/edge-of-stabilty/; s/steps: 5/steps: x/' a.yaml >b.yaml
expect 0 "6 points, 1 seed each" "$orrery" check a.yaml
expect 0 "learning_rate=0.2 n=30" "$orrery" check a.yaml
expect 0 "3 points, 4 seeds each" "$orrery" check a.yaml --set seeds=4 --set 'sweep={grid: {data.n: [1, 2, 3]}}'
expect 2 "b.yaml:5:15: unknown rule 'gdd'; did you mean 'gd'?" "$orrery" check b.yaml
expect 2 "b.yaml:6:8: steps" "$orrery" check b.yaml
expect 2 "did you mean 'edge-of-stability'" "$orrery" check b.yaml
expect 2 "--set 1: unknown key of rule gd 'lerning_rate'" "$orrery" check a.yaml --set rule.lerning_rate=3
expect 2 "did you mean '--set'" "$orrery" check a.yaml --sett a=3
expect 2 "needs a file" "$orrery" check
expect 2 "needs a value" "$orrery" check a.yaml --set
expect 2 "one file at a time" "$orrery" check a.yaml b.yaml
expect 2 "did you mean 'full'" "$orrery" check a.yaml --size ful
expect 2 "none.yaml: can't be opened" "$orrery" check none.yaml
expect 0 "usage: orrery check" "$orrery" check --help
expect 2 "did you mean 'architecture'" "$orrery" help architectre
expect 2 "did you mean 'mlp'" "$orrery" help architecture mpl
expect 2 "did you mean 'bash'" "$orrery" help --completion bas
[ "$("$orrery" check b.yaml 2>&1 | wc -l)" = 3 ] || fail "a line each"
python3 - "$("$orrery" check a.yaml --json)" "$("$orrery" check b.yaml --json)" <<'END' || fail "JSON of check"
import json, sys
a, b = map(json.loads, sys.argv[1:])
assert a["ok"] and len(a["points"]) == 6 and a["mistakes"] == []
assert a["points"][5]["settings"]["rule"]["learning_rate"] == 0.2
assert not b["ok"] and [m["line"] for m in b["mistakes"]] == [5, 6, 7]
END
echo "$failed failed"
[ "$failed" = 0 ]
