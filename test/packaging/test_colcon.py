"""The ROS workspace build, in a copy of the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    'rtrrl', 'agent_node', 'bag_player_node', 'bag_recorder_node', 'car_racing_node',
    'dv_camera_node', 'encoder_node', 'frame_reward_node', 'gate_node', 'line_node',
    'line_recorder_node', 'monitor_node', 'policy_nodes', 'reward_node', 'track_reward_node',
}  # fmt: skip


def in_shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a shell that knows nothing of the environment of this test."""
    foreign = ('PYTHON', 'LD_LIBRARY', '_ROS', 'AMENT', 'COLCON', 'VIRTUAL_ENV', 'CMAKE')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return subprocess.run(
        ['bash', '-c', script], env=kept | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope='module')
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with a built workspace in it; .venv and .colcon are shared."""
    if Path(sys.prefix) != ROOT / '.venv':
        pytest.skip('not in the environment that `make venv` sets up')
    copy = tmp_path_factory.mktemp('workspace') / 'rtrrl_ros'
    ignore = shutil.ignore_patterns('.*', 'build', 'install', 'log', 'results', '__pycache__')
    shutil.copytree(ROOT, copy, ignore=ignore)
    for shared in ('.venv', '.colcon'):
        (copy / shared).symlink_to(ROOT / shared)
    # Without the set-up: that of .venv is done, and is about the original.
    (ROOT / '.colcon').mkdir(exist_ok=True)
    built = in_shell(f'cd {copy} && .venv/bin/python -B tools/colcon_in_venv.py')
    assert built.returncode == 0, built.stdout + built.stderr
    return copy


def in_workspace(workspace: Path, command: str) -> subprocess.CompletedProcess[str]:
    return in_shell(f'. {workspace}/install/setup.bash && {command}')


@pytest.mark.slow
def test_programs_lie_where_ros2_launch_looks(workspace: Path) -> None:
    folder = workspace / 'install' / 'rtrrl_ros' / 'lib' / 'rtrrl_ros'
    assert {file.name for file in folder.iterdir() if os.access(file, os.X_OK)} == PROGRAMS


@pytest.mark.slow
def test_data_lies_in_share(workspace: Path) -> None:
    share = workspace / 'install' / 'rtrrl_ros' / 'share'
    assert (share / 'ament_index/resource_index/packages/rtrrl_ros').is_file()
    assert (share / 'rtrrl_ros/package.xml').is_file()
    for pattern in ('launch/*', 'config/*', 'models/*/*'):
        for source in ROOT.glob(pattern):
            if source.is_file() and '__pycache__' not in source.parts:
                assert (share / 'rtrrl_ros' / source.relative_to(ROOT)).is_file(), source


@pytest.mark.slow
def test_a_node_starts_from_the_workspace(workspace: Path) -> None:
    program = workspace / 'install/rtrrl_ros/lib/rtrrl_ros/gate_node'
    # SIGINT is how `ros2 launch` ends a node: 0 or the usual 130, never a traceback.
    result = in_workspace(workspace, f'timeout -s INT -k 20 8 {program}')
    assert result.returncode in (0, 124, 130), result.stderr
    assert 'Traceback' not in result.stderr


@pytest.mark.slow
def test_the_messages_are_those_of_the_workspace(workspace: Path) -> None:
    show = 'import rtrrl_msgs.msg as m; m.Reward(); print(m.__file__)'
    result = in_workspace(workspace, f"{workspace}/.venv/bin/python -c '{show}'")
    assert result.stdout.startswith(str(workspace / 'install')), result.stdout + result.stderr


def with_sourced_ros(tmp_path: Path, distribution: str, *packages: str) -> str:
    """What tools/colcon.sh asks colcon for, or says, where these packages are installed."""
    programs, prefix = tmp_path / 'bin', tmp_path / 'ros'
    programs.mkdir()
    for name, script in {'ros2': '', 'python3': '', 'colcon': 'echo colcon "$@"'}.items():
        (programs / name).write_text(f'#!/bin/sh\n{script}\n')
        (programs / name).chmod(0o755)
    for name in packages:
        (prefix / 'share' / name).mkdir(parents=True)
        (prefix / 'share' / name / 'package.xml').touch()
    environment = {'AMENT_PREFIX_PATH': f'/nowhere:{prefix}', 'ROS_DISTRO': distribution}
    result = in_shell(f'PATH={programs}:$PATH {ROOT}/tools/colcon.sh 2>&1', **environment)
    return result.stdout.splitlines()[-1]


def test_a_sourced_ros_builds_the_stand_ins_that_it_lacks(tmp_path: Path) -> None:
    assert with_sourced_ros(tmp_path, 'jazzy', 'ackermann_msgs', 'std_msgs') == (
        'colcon build --base-paths . interfaces --packages-skip ackermann_msgs '
        '--cmake-args -DBUILD_TESTING=OFF'
    )


def test_a_sourced_ros_with_neither_builds_both_stand_ins(tmp_path: Path) -> None:
    assert '--packages-skip' not in with_sourced_ros(tmp_path, 'kilted', 'std_msgs')


def test_a_sourced_ros_that_is_too_old_is_refused(tmp_path: Path) -> None:
    assert with_sourced_ros(tmp_path, 'humble') == (
        'colcon: ROS 2 humble is too old: source Jazzy or newer'
    )
