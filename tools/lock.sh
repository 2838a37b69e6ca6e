#!/bin/sh
# Write the hashed requirements files. They hold names, versions and hashes, never an address.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-uv}
flags="--quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header"
for name in runtime piprint dev termineter mutation; do
    # shellcheck disable=SC2086 # the flags are words
    "$uv" pip compile $flags --universal --python-version 3.11 "requirements/$name.in" -o "requirements/$name.txt"
done
# shellcheck disable=SC2086
"$uv" pip compile $flags --python-version 3.13 requirements/homeassistant.in -o requirements/homeassistant.txt
# The AL grammar asks for Python 3.12 but runs on 3.11, where it is built from its source (tools/al_environment.py).
# shellcheck disable=SC2086
"$uv" pip compile $flags --universal --python-version 3.12 requirements/al.in -o requirements/al.txt
