#!/bin/sh
# Builds the repository as a ROS workspace into install/: with the ROS 2 that is sourced, or in
# the virtual environment where none is.
set -e
cd "$(dirname "$0")/.."

if [ -z "$AMENT_PREFIX_PATH" ] || ! command -v ros2 > /dev/null; then
    tools/set_up_venv.sh
    exec .venv/bin/python -B tools/colcon_in_venv.py
fi

case $ROS_DISTRO in
    humble | iron | foxy | galactic)
        echo "colcon: ROS 2 $ROS_DISTRO is too old: source Jazzy or newer" >&2
        exit 1
        ;;
esac
if ! command -v colcon > /dev/null; then
    echo 'colcon: not installed: sudo apt install python3-colcon-common-extensions' >&2
    exit 1
fi

# A stand-in is built only where the distribution's own package is absent. What an earlier build
# of this workspace left in install/ does not count as the distribution's.
skip=
for folder in interfaces/compat/*/; do
    name=$(basename "$folder")
    IFS=:
    for prefix in $AMENT_PREFIX_PATH; do
        case $prefix in "$PWD"/install*) continue ;; esac
        if [ -e "$prefix/share/$name/package.xml" ]; then
            skip="$skip $name"
            break
        fi
    done
    unset IFS
done
echo "colcon: with ROS 2 $ROS_DISTRO; stand-ins left out:${skip:- none}"
# colcon does not look below a package, so interfaces/ is a base path of its own.
# shellcheck disable=SC2086
colcon build --base-paths . interfaces ${skip:+--packages-skip $skip} \
    --cmake-args -DBUILD_TESTING=OFF
if ! python3 -c 'import gymnasium, safetensors, torch' 2> /dev/null; then
    echo 'colcon: built; torch, gymnasium or safetensors is missing for python3: see README.md' >&2
fi
