#!/bin/sh
# Sets up .venv: chooses a Python, then hands over to set_up_venv.py.
#   PYTHON=...     base the environment on this interpreter
#   TORCH=cuda     the default build of torch instead of the CPU build
tools=$(dirname "$0")
python=$("$tools/find_python.sh") || exit 1
exec "$python" -E -s -B "$tools/set_up_venv.py" --torch "$TORCH" ${PYTHON:+--python-given}
