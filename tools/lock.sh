#!/bin/sh
# Renew both lock files: hashes, no index address, wheels only, for x86-64 and aarch64 alike. Needs uv.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links --only-binary :all: --quiet "$@" >/dev/null
}
compile --group build -o requirements.lock
compile --group build --group dev -o requirements-dev.lock
