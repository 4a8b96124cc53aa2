# Recipes for contributors and for CI. `just` is optional: `pip install rust-just`.

set shell := ["bash", "-euo", "pipefail", "-c"]

bin := justfile_directory() / ".venv" / if os() == "windows" { "Scripts" } else { "bin" }

_list:
    @just --list --unsorted

# The checks before you deliver a change; the groups below have the others
check: ci-lint test

# Every check that CI runs, in groups that need the same tools. `.ci/run` and the workflows call these groups.

# Rust alone: the README's commands, the tests, the benchmarks once, the TypeScript types
ci-rust: readme references bench-smoke types-check

# Formatting, lint, documentation, licenses, the package
ci-lint: fmt lint clippy doc deny package

# The servers from outside: language server, HTTP API, MLflow
ci-servers: lsp http-api mlflow

# What needs Chromium: HTML pages, the page of `codegaze serve`, VS Code
ci-browser: browser page vscode

# What needs Neovim or Emacs, and the other editors' files
ci-editors: lsp-nvim nvim lsp-emacs editors

# What needs PyTorch: fixtures, the program against transformers, memory, the language server's benchmark once
ci-transformers: fixtures transformers memory lsp-bench-smoke

# Every command of the README, in the order of the page
readme:
    tests/readme/run.sh

# Tests that need only Rust
test:
    cargo test

# Tests that compare with large libraries of other authors: candle-transformers, resvg, jsonschema
references:
    cargo build
    cargo test -p codegaze-references

# Formatting of Rust
fmt:
    cargo fmt --all --check
    # A macro declares these modules, and `cargo fmt` does not find them.
    rustfmt --edition 2024 --check crates/codegaze-core/src/attribution/methods/*.rs

# Warnings are errors, with every feature set that needs no GPU
clippy:
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy --no-default-features -- -D warnings

# Documentation; a broken link is an error
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Licenses, sources and versions of the dependencies
deny: tools
    {{ bin }}/cargo-deny --log-level error check bans licenses sources

# Known vulnerabilities of the dependencies; fetches the advisory database
advisories: tools
    {{ bin }}/cargo-deny check advisories

# Workflow files and Python
lint: tools
    {{ bin }}/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
    {{ bin }}/zizmor --offline --quiet .github/workflows
    {{ bin }}/ruff check .

# The packages contain the embedded model and no other large files
package:
    #!/usr/bin/env bash
    set -euo pipefail
    files=$(cargo package --list --allow-dirty -p codegaze)
    for file in README.md LICENSE-MIT LICENSE-APACHE docs/ATTRIBUTION.md web/dist/index.html; do
        grep -qxF "$file" <<<"$files" || { echo "the package lacks $file" >&2; exit 1; }
    done
    if grep -E '^(tests|training|target|editors|crates|benches)/' <<<"$files"; then
        echo "the package contains files that it should not contain" >&2
        exit 1
    fi
    files=$(cargo package --list --allow-dirty -p codegaze-mini)
    for file in model/{model.safetensors,tokenizer.json,config.json}; do
        grep -qxF "$file" <<<"$files" || { echo "the package codegaze-mini lacks $file" >&2; exit 1; }
    done

# Compares the fixtures with transformers, and the encoder with the fixtures
fixtures: pytorch
    {{ bin }}/python tests/fixtures/generate.py --check
    cargo test -p codegaze-model --test reference --test tokenizer --test weights

# Compares the program with transformers, on texts that are not in the fixtures
transformers: pytorch
    cargo build --release
    {{ bin }}/python tests/fixtures/compare.py target/release/codegaze

# The HTML pages in Chromium, with a real mouse and keyboard
browser:
    cargo build --release
    cd tests/browser && npm ci --silent --no-audit --no-fund && node --test

# The language server from outside: the list of tests/lsp/CONFORMANCE.md, editors' profiles, a soak
lsp *ARGS: drivers
    cargo build --release
    cd tests/lsp && {{ bin }}/python -m pytest {{ ARGS }}

# docs/editors.md in headless Neovim, beside another language server
lsp-nvim: drivers
    cargo build --release
    {{ bin }}/python tests/lsp/nvim.py

# docs/editors.md in Emacs: lsp-mode and eglot
lsp-emacs: drivers
    cargo build --release
    {{ bin }}/python tests/lsp/emacs.py

# The page of `codegaze serve`: types, lint, tests without a browser, web/dist against the sources, tests in Chromium
page *ARGS:
    cargo build --release
    cd web && npm ci --silent --no-audit --no-fund && npm run check && npm run lint && npm test && npm run check-dist && npm run e2e -- {{ ARGS }}

# Everything that is generated from Rust: the lists and tables in documents and editors, the TypeScript types, the page
generate: types
    UPDATE_LISTS=1 cargo test -p codegaze --test lists
    UPDATE_LISTS=1 cargo test -p codegaze --lib the_documented_table_is_the_code
    cd web && npm ci --silent --no-audit --no-fund && npm run build
    cd editors/vscode && npm ci --silent --no-audit --no-fund && npm run l10n

# The TypeScript types of both protocols, from the types in Rust: web/src/generated/live.ts and lsp.ts
types:
    UPDATE_TYPES=1 cargo test -p codegaze --features ts --lib typescript

# Compares the committed TypeScript types with the types in Rust
types-check:
    cargo test -p codegaze --features ts --lib typescript

# Random requests from the OpenAPI document to the real server
http-api *ARGS: (_suite "http" "tests/http_api")
    .venv/http/bin/python tests/http_api/run.py {{ ARGS }}

# Records runs on a real MLflow server, and reads them with MLflow's client
mlflow *ARGS: (_suite "mlflow" "tests/mlflow")
    .venv/mlflow/bin/python -m pytest -q tests/mlflow {{ ARGS }}

# Builds the program, and an environment with the requirements of DIRECTORY
_suite NAME DIRECTORY: _venv
    cargo build --release
    @[ -d .venv/{{ NAME }} ] || {{ bin }}/python -m venv .venv/{{ NAME }}
    @.venv/{{ NAME }}/bin/python -m pip install --quiet --disable-pip-version-check -r {{ DIRECTORY }}/requirements.txt

# Measures the language server against its targets
lsp-bench *ARGS: pytorch
    {{ bin }}/python benches/lsp.py {{ ARGS }}

# The language server's benchmark, once and short
lsp-bench-smoke: (lsp-bench "--quick" "--rows" "initialize" "first_tokens" "typing" "hover_and_highlight" "memory")

# The Neovim plugin: formatting, lint, help, and real Neovims beside a second server
nvim *ARGS:
    cargo build --release
    editors/nvim/tests/run.sh {{ ARGS }}

# Emacs with the real server, Zed's extension, the configurations for Helix, Sublime Text and Zed
editors:
    cargo build --release
    editors/tests/run.sh

# The README's pictures of Neovim: docs/images/nvim-dark.png and nvim-light.png
nvim-screenshots:
    cargo build --release
    CODEGAZE_DIR=target/release editors/nvim/tests/screenshots.sh

# The README's pictures of VS Code: docs/images/vscode-dark.png and vscode-light.png
vscode-screenshots: _vscode
    cd editors/vscode && npm run screenshots

# The README's pictures of the page: docs/images/page-dark.png and page-light.png
page-screenshots:
    cargo build --release
    cd web && npm ci --silent --no-audit --no-fund && npm run screenshots

# The README's pictures of editors and of the page
screenshots: nvim-screenshots vscode-screenshots page-screenshots

# The VS Code extension: types, lint, tests without an editor, the README's way to install it, tests in a real editor
vscode *ARGS: _vscode
    cd editors/vscode && npm run check && npm run lint && npm test
    editors/vscode/test/readme.sh
    cd editors/vscode && npm run test:e2e -- {{ ARGS }}

# Builds the VSIX of this platform, with the program inside
vscode-package: _vscode
    cd editors/vscode && npm run package

# CODEGAZE_BIN is an existing program, which is then not built
_vscode:
    [ -n "${CODEGAZE_BIN:-}" ] || cargo build --release
    cd editors/vscode && npm ci --silent --no-audit --no-fund

# Peak memory of an analysis against its target
memory: pytorch
    {{ bin }}/python benches/memory.py --check

# Every benchmark, once
bench-smoke:
    cargo test -p codegaze-benches --benches --quiet

# The benchmarks, measured
bench *ARGS:
    cargo bench -p codegaze-benches {{ ARGS }}

# Which aggregate of a lexeme's subwords follows attention and not length, on sources anywhere (benches/aggregates.rs)
aggregates *ARGS:
    cargo run --release -p codegaze-benches --bin aggregates -- {{ ARGS }}

# Frames of the page while the pointer moves over its largest pictures
page-bench *ARGS:
    cargo build --release
    cd web && npm ci --silent --no-audit --no-fund
    node benches/page.mjs {{ ARGS }}

# codegaze against PyTorch, ONNX Runtime and candle
compare *ARGS:
    python3 benches/compare.py {{ ARGS }}

# Creates the model of CodeBERT's shape for memory and compare
model: pytorch
    {{ bin }}/python benches/shape.py

_venv:
    @[ -d .venv ] || python3 -m venv .venv

# Installs the tools of the checks into .venv
tools: _venv
    @{{ bin }}/python -m pip install --quiet --disable-pip-version-check -r .ci/requirements.txt

# Installs PyTorch and transformers for the fixtures into .venv
pytorch: _venv
    @{{ bin }}/python -m pip install --quiet --disable-pip-version-check -r tests/fixtures/requirements.txt

# Installs the language server's test client into .venv
drivers: _venv
    @{{ bin }}/python -m pip install --quiet --disable-pip-version-check -r tests/lsp/requirements.txt
