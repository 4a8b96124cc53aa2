#!/usr/bin/env bash
# Makes the embedded model from nothing: fetch, prepare, encode, train, decay, export, evaluate. Usage:
#
#     training/run.sh DIR [INIT]     everything; INIT are weights (safetensors) of the shape and vocabulary of crates/codegaze-mini/model
#     training/run.sh DIR --export   a model from the training's last checkpoint, while the training runs on or stands still
#
# DIR is a folder outside of the checkout. A step whose output is there and whole is skipped, and a training that was stopped goes on from
# its last checkpoint, so the same command serves to start, to continue and to repeat. Without INIT (now or at an earlier call), the
# vocabulary and the weights start from nothing. DIR/pgid holds the id of the process group, to halt and continue it:
#
#     kill -STOP -- "-$(cat DIR/pgid)"
#     kill -CONT -- "-$(cat DIR/pgid)"
#
# PYTHON names another Python than python3; TRAIN_OPTIONS are further options of train.py.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0"
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
mini=$here/../crates/codegaze-mini/model
mkdir -p "$1"
dir=$(cd "$1" && pwd)
read -ra options <<<"${TRAIN_OPTIONS:-}"
python=$dir/venv/bin/python
export TORCHINDUCTOR_CACHE_DIR=$dir/compiled

say() { echo "$(date '+%F %T') $*"; }

# The sizes of a step's outputs, and the checksums of what it is made from.
state() {
    local from=$1
    shift
    # shellcheck disable=SC2086 # `from` is a list of files without blanks in their names
    (cd "$here" && cksum $from) && (cd "$dir" && wc -c "$@")
}

# step NAME "INPUT…" "OUTPUT…" COMMAND…: runs the command unless its outputs are as it left them, from the same inputs.
step() {
    local name=$1 from=$2 to=$3 before=
    shift 3
    mkdir -p "$dir/steps"
    # shellcheck disable=SC2086
    if [ -e "$dir/steps/$name" ] && before=$(state "$from" $to 2>/dev/null) && [ "$before" = "$(cat "$dir/steps/$name")" ]; then
        say "$name: done already"
        return
    fi
    say "$name: starts"
    "$@"
    # shellcheck disable=SC2086
    state "$from" $to >"$dir/steps/$name.new"
    mv "$dir/steps/$name.new" "$dir/steps/$name"
    say "$name: ends"
}

environment() {
    "${PYTHON:-python3}" -m venv "$dir/venv"
    "$python" -m pip install --quiet --requirement "$here/requirements.txt"
}

encode() {
    local vocabulary=()
    if [ -e "$dir/init.safetensors" ]; then
        vocabulary=(--vocabulary "$mini")
    fi
    "$python" "$here/encode.py" --data "$dir/corpus" "${vocabulary[@]}"
}

# What is said to it goes on to train.py.
train_py() {
    local init=()
    if [ -e "$dir/init.safetensors" ]; then
        init=(--init "$dir/init.safetensors")
    fi
    "$python" "$here/train.py" --data "$dir/corpus" --out "$dir/train" "${init[@]}" "${options[@]}" "$@"
}

# train.py itself ends at once when its checkpoint has seen all that it should.
train() { train_py; }
branch() { train_py --branch "$1"; }

# decay_and_export NAME: lets the learning rate fall from the last checkpoint on, in DIR/NAME, and writes and measures DIR/NAME/model.
decay_and_export() {
    local name=$1
    step "$name-decay" "train.py" "$name/hf/model.safetensors" branch "$dir/$name"
    step "$name-export" "export.py" "$name/model/model.safetensors $name/model/tokenizer.json" \
        "$python" "$here/export.py" "$dir/$name" "$dir/$name/model" --tokenizer "$dir/corpus/tokenizer"
    step "$name-evaluate" "evaluate.py" "$name/evaluation.json" \
        "$python" "$here/evaluate.py" "$dir/$name/model" "$dir/corpus/held.jsonl" --json "$dir/$name/evaluation.json"
}

if [ "${2:-}" = --export ]; then
    # An export that was interrupted is finished first.
    unfinished=$(find "$dir" -maxdepth 1 -name 'export-*' ! -exec test -e '{}/evaluation.json' ';' -print -quit)
    name=${unfinished:+$(basename "$unfinished")}
    decay_and_export "${name:-export-$(date +%Y%m%d-%H%M%S)}"
    exit
fi

exec 9>"$dir/lock"
if ! flock --wait 60 9; then
    echo "another run works in $dir, as process group $(cat "$dir/pgid")" >&2
    exit 1
fi
ps -o pgid= -p $$ | tr -d ' ' >"$dir/pgid"
if [ $# -eq 2 ] && [ ! -e "$dir/init.safetensors" ]; then
    cp "$2" "$dir/init.tmp"
    mv "$dir/init.tmp" "$dir/init.safetensors"
fi

step environment requirements.txt venv/pyvenv.cfg environment
step fetch sources.json packages/missing.json "$python" "$here/fetch.py" "$dir/packages"
step prepare "sources.json prepare.py" "corpus/train.jsonl corpus/held.jsonl corpus/corpus.json" \
    "$python" "$here/prepare.py" "$dir/packages" --out "$dir/corpus"
step encode "sources.json prepare.py encode.py" "corpus/train.bin corpus/train.off corpus/held.bin corpus/held.off" encode
say "train: starts or goes on"
train
decay_and_export final
say "all done: $dir/final/model"
