#!/usr/bin/env bash
# Installs VS Code's server build (code-server, from npm) into DIR, for the tests in a real editor.
# Its own install script downloads a search binary from elsewhere; so scripts are off, and what they would build is built here.
# usage: install-code-server.sh DIR [VERSION]
# needs: node 20, npm, g++, make, python3 and ripgrep, with the headers of krb5, secret, x11 and xkbfile; as root, apt-get brings the latter
set -euo pipefail
dir=${1:?usage: install-code-server.sh DIR [VERSION]}
version=${2:-4.100.3}
mkdir -p "$dir"
cd "$dir"

entry=node_modules/code-server/out/node/entry.js
if [ -f .complete ] && node "$entry" --version >/dev/null 2>&1; then
    echo "$PWD/$entry"
    exit 0
fi

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        g++ make python3 libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev ripgrep >/dev/null
fi

npm_install() { npm install --silent --no-audit --no-fund --ignore-scripts "$@"; }

[ -f package.json ] || echo '{"private": true}' >package.json
npm_install "code-server@$version"
code=node_modules/code-server/lib/vscode
(cd "$code" && npm_install --omit=dev && ln -sfn node_modules node_modules.asar)
(cd "$code/extensions" && npm_install --omit=dev)

gyp="$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js"
headers=$(dirname "$(dirname "$(realpath "$(command -v node)")")")
# build DIRECTORY ARGUMENT…: one native module, against the headers of the node that runs.
build() {
    local directory=$1
    shift
    (cd "$directory" && node "$gyp" rebuild --nodedir="$headers" "$@" >build.log 2>&1) || {
        tail -n 20 "$directory/build.log" >&2
        echo "cannot build $directory: its build.log is above" >&2
        exit 1
    }
}
for module in node-pty @vscode/spdlog native-watchdog @parcel/watcher; do
    build "$code/node_modules/$module"
done
binding=$PWD/node_modules/argon2/lib/binding/napi-v3
build "$PWD/node_modules/argon2" --module="$binding/argon2.node" --module_name=argon2 --module_path="$binding" \
    --napi_version=8 --napi_build_version=3 --node_napi_label=napi-v3

mkdir -p "$code/node_modules/@vscode/ripgrep/bin"
cp "$(command -v rg)" "$code/node_modules/@vscode/ripgrep/bin/rg"
node "$entry" --version >&2
touch .complete
echo "$PWD/$entry"
