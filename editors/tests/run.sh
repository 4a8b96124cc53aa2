#!/usr/bin/env bash
# The checks of the smaller editors: the configurations for Helix, Sublime Text and Zed, Zed's extension, and Emacs with the real
# server.
#
# CODEGAZE_DIR is the directory of the program codegaze (default: target/release or target/debug, whichever is there). Emacs comes
# from Debian. What cannot be had fails the run; with ALLOW_SKIP=1 it is left out, and said to be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
skipped=()

missing() {
    echo "SKIPPED: $1" >&2
    [ "${ALLOW_SKIP:-}" = 1 ] || { echo "ERROR: $1 (ALLOW_SKIP=1 goes on without)" >&2; exit 1; }
    skipped+=("$1")
}

have() { command -v "$1" >/dev/null; }

for directory in "${CODEGAZE_DIR:-}" target/release target/debug; do
    [ -z "$directory" ] || [ ! -x "$directory/codegaze" ] || break
done
[ -x "$directory/codegaze" ] || { echo "ERROR: there is no program codegaze; cargo build --release, or CODEGAZE_DIR" >&2; exit 1; }
CODEGAZE_DIR=$(cd "$directory" && pwd)
export CODEGAZE_DIR HF_HUB_OFFLINE=1

echo "==> configurations"
python3 editors/tests/configurations.py "$CODEGAZE_DIR"

echo "==> Zed's extension"
export CARGO_TARGET_DIR="$PWD/target/zed"
(cd editors/zed && cargo fmt --check && cargo clippy --quiet --locked -- -D warnings)
if [ -d "$(rustc --print target-libdir --target wasm32-wasip2)" ]; then
    (cd editors/zed && cargo build --quiet --locked --target wasm32-wasip2)
else
    # Zed compiles it itself; this only says earlier what the compiler for this machine has said already.
    echo "NOTE: the target wasm32-wasip2 is not installed: Zed's extension was checked for this machine only" >&2
fi

have emacs || { have apt-get && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y emacs-nox elpa-eglot elpa-lsp-mode; } >/dev/null 2>&1 || true
if have emacs; then
    echo "==> $(emacs --version | head -1)"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cp editors/emacs/codegaze.el "$work/"
    emacs -Q --batch --eval '(setq byte-compile-error-on-warn t)' -f batch-byte-compile "$work/codegaze.el"
    HOME="$work" emacs -Q --batch -L editors/emacs -l codegaze-tests -f ert-run-tests-batch-and-exit
else
    missing "Emacs is missing, and emacs-nox cannot be installed"
fi
[ ${#skipped[@]} -eq 0 ] || printf 'SKIPPED: %s\n' "${skipped[@]}" >&2
