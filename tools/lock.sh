#!/bin/sh
# Writes the lock files from the requirements files: what is locked keeps its version as far as the
# requirements allow. UPGRADE=1 chooses every version anew.
set -e
cd "$(dirname "$0")/.."

lock() { # file, requirements...
    file=$1
    shift
    cp "$file" "$file.new"
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
        ${UPGRADE:+--upgrade} --no-header --no-annotate --output-file "$file.new" "$@" > /dev/null
    # The markers all repeat what [tool.uv] in pyproject.toml says.
    pins=$(sed 's/ *;.*//' "$file.new")
    rm "$file.new"
    if [ -n "$(echo "$pins" | sed 's/==.*//' | uniq -d)" ]; then
        echo "lock: $file: no one set of versions serves every Python:" >&2
        echo "$pins" | sed 's/==.*//' | uniq -d >&2
        exit 1
    fi
    comment=$(sed -n '/^#/p' "$file")
    printf '%s\n' "$comment" "$pins" > "$file"
}

lock requirements.lock requirements.txt requirements-dev.txt requirements-build.txt
lock requirements-colcon.lock requirements-colcon.txt
git --no-pager diff --stat -- requirements.lock requirements-colcon.lock
