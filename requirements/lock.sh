#!/bin/sh
# Write requirements/*.txt from pyproject.toml: every version and hash, for every platform, and no host's name.
# Without arguments what is locked stays where it may; `--upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"
}

echo '== dev: everything but Java'
compile "$@" --extra local --extra dev pyproject.toml -o requirements/dev.txt
# The others are parts of it: the same versions, so that one environment serves for all.
echo '== local, run, java'
compile -c requirements/dev.txt --extra local pyproject.toml -o requirements/local.txt
compile -c requirements/dev.txt pyproject.toml -o requirements/run.txt
compile "$@" -c requirements/dev.txt --extra java pyproject.toml -o requirements/java.txt
echo '== uv itself'
echo 'uv>=0.13' | compile "$@" - -o requirements/uv.txt
