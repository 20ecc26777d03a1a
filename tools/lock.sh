#!/bin/sh
# Renew both lock files: hashes, no index address, for x86-64 and aarch64 alike; wheels only, but for the
# one extra that has none. Needs uv.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links --only-binary :all: --no-binary chirpstack-api --quiet "$@" >/dev/null
}
compile --group build -o requirements.lock
compile --all-extras --group build --group dev -o requirements-dev.lock
