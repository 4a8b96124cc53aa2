#!/usr/bin/env bash
# Installs the extension with the commands of the project's README. code-server replaces VS Code's `code`.
# CODE_SERVER_DIR is the directory that has code-server, or into which it is installed. Default: editors/vscode/.vscode-test/code-server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

commands=$(awk '/^```/ { if (block ~ /code --install-extension/) printf "%s", block; block = ""; inside = !inside; next }
    inside { block = block $0 "\n" }' README.md)
[ -n "$commands" ] || { echo "ERROR: the README does not say how to install the extension" >&2; exit 1; }

entry=$(bash editors/vscode/test/install-code-server.sh "${CODE_SERVER_DIR:-editors/vscode/.vscode-test/code-server}") || {
    [ "${ALLOW_SKIP:-}" = 1 ] || { echo "ERROR: code-server cannot be installed (ALLOW_SKIP=1 skips this test)" >&2; exit 1; }
    echo "SKIPPED: code-server cannot be installed, so the README's way to install the VS Code extension was not tested" >&2
    exit 0
}
entry=${entry##*$'\n'}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/code" <<CODE
#!/bin/sh
exec node "$entry" --user-data-dir "$work/data" --extensions-dir "$work/extensions" "\$@"
CODE
chmod +x "$work/code"

echo "$commands"
rm -f editors/vscode/*.vsix
PATH="$work:$PATH" bash -euo pipefail -c "$commands"
"$work/code" --list-extensions | grep -qx codegaze.codegaze || { echo "ERROR: the extension is not installed" >&2; exit 1; }
"$work"/extensions/codegaze.codegaze-*/server/codegaze --version
