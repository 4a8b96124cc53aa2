#!/usr/bin/env bash
# Runs every command of the README: the two at the top, the installation, and each `curl` line against the server it describes.
#
#   tests/readme/run.sh            all commands
#   tests/readme/run.sh commands   the two at the top: run the program on an example, run the tests
#   tests/readme/run.sh install    the installation, into target/install
#   tests/readme/run.sh curl       the `curl` lines, against `codegaze serve`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() {
    echo "ERROR: $1" >&2
    exit 1
}

# block N: the text of the README's N-th fenced block.
block() {
    awk -v n="$1" '/^```/ { inside = !inside; blocks += inside; next } inside && blocks == n' README.md
}

run() {
    echo "\$ $1"
    bash -euo pipefail -c "$1"
}

commands() {
    local expected i=0
    # Newcomers copy these two commands, so a change of them is a change of what the project promises.
    for expected in "cargo run -- analyze examples/fibonacci.py" "cargo test"; do
        i=$((i + 1))
        [ "$(block "$i")" = "$expected" ] || die "the README's command $i is not: $expected"
        run "$expected"
    done
}

install() {
    local command
    command=$(grep -m 1 '^cargo install ' README.md) || die "the README does not say how to install"
    CARGO_INSTALL_ROOT="$PWD/target/install" run "$command"
    target/install/bin/codegaze --version
}

server=
log=
stop_server() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server"; } || true
    rm -f "$log" "$log.answer"
}

curl_lines() {
    local line lines
    lines=$(grep '^curl ' README.md) || die "the README has no curl line"
    cargo build --release
    log=$(mktemp)
    trap stop_server EXIT
    target/release/codegaze serve 2>"$log" &
    server=$!
    for _ in $(seq 100); do
        ! curl -sf http://127.0.0.1:8001/ready >/dev/null || break
        sleep 0.1
    done
    while read -r line; do
        run "$line" >"$log.answer" || {
            cat "$log" >&2
            die "the README's line fails: $line"
        }
        head -c 300 "$log.answer"
        echo
    done <<<"$lines"
}

case "${1:-all}" in
    commands) commands ;;
    install) install ;;
    curl) curl_lines ;;
    all)
        commands
        install
        curl_lines
        ;;
    *) die "unknown part $1; write commands, install or curl" ;;
esac
