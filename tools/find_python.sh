#!/bin/sh
# Prints the path of a Python that can make the virtual environment, or fails with one line.
#
# Every candidate is run before it is believed: a version manager's shim exists and refuses to
# start, and a system Python may come without venv or without its headers. PYTHON=... in the
# environment is the only candidate, if given.

# The probe says `ok`, or what is missing.
probe='
import importlib.util, os, sys, sysconfig
version = "%d.%d" % sys.version_info[:2]
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    print("is Python " + version)
elif sys.prefix != sys.base_prefix:
    print("belongs to a virtual environment")
elif not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
    print("lacks venv: sudo apt install python" + version + "-venv")
elif not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print("lacks Python.h: sudo apt install python" + version + "-dev")
else:
    print("ok", os.path.realpath(sys.executable))
'

refused=
try() { # candidate
    answer=$(unset PYTHONPATH PYTHONHOME; "$1" -I -c "$probe" 2>/dev/null) || answer='does not run'
    case $answer in
        'ok '*) echo "${answer#ok }"; exit 0 ;;
    esac
    refused="$refused; $1 ${answer:-does not run}"
}

if [ -n "$PYTHON" ]; then
    try "$PYTHON"
    echo "set-up: PYTHON=$PYTHON ${refused#*; "$PYTHON" }" >&2
    exit 1
fi
for name in python3.11 python3.12 python3.13 python3; do
    IFS=:
    for folder in $PATH; do
        if [ -x "$folder/$name" ]; then try "$folder/$name"; fi
    done
    unset IFS
done
echo "set-up: found no Python 3.11, 3.12 or 3.13 with venv and headers (sudo apt install" \
    "python3.11-venv python3.11-dev, or name one: make venv PYTHON=...)${refused}" >&2
exit 1
