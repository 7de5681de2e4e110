#!/bin/sh
# Chooses the versions in the lock files anew, from the package index and the requirements files.
set -e
cd "$(dirname "$0")/.."

lock() { # file, requirements...
    file=$1
    shift
    # The leading comment stays. The markers all say what [tool.uv] in pyproject.toml says.
    pins=$(.venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
        --fork-strategy fewest --upgrade --no-header --no-annotate "$@")
    {
        sed -n '/^#/p' "$file"
        echo "$pins" | sed 's/ *;.*//'
    } > "$file.new"
    if [ -n "$(sed 's/==.*//' "$file.new" | grep -v '^#' | uniq -d)" ]; then
        echo "lock: one version does not serve every Python: see $file.new" >&2
        exit 1
    fi
    mv "$file.new" "$file"
}

lock requirements.lock requirements.txt requirements-dev.txt requirements-build.txt
lock requirements-colcon.lock requirements-colcon.txt
git diff --stat -- '*.lock'
