"""The ament_python package rtrrl_ros: modules, programs, and data for share/rtrrl_ros."""

import sys
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = 'rtrrl_ros'
NODES = (
    'agent_node',
    'bag_player_node',
    'bag_recorder_node',
    'car_racing_node',
    'dv_camera_node',
    'encoder_node',
    'frame_reward_node',
    'gate_node',
    'line_node',
    'line_recorder_node',
    'monitor_node',
    'policy_nodes',
    'reward_node',
    'track_reward_node',
)


def data_files() -> list[tuple[str, list[str]]]:
    """What goes to share/: the marker that ament finds the package by, and the package's data."""
    files = [
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
    ]
    for folder in ('launch', 'config', *sorted(glob('models/*/'))):
        names = sorted(name for name in glob(f'{folder}/*') if Path(name).is_file())
        if names:
            files.append((f'share/{NAME}/{folder.rstrip("/")}', names))
    return files


setup(
    name=NAME,
    version='0.1.0',
    package_dir={'': 'src'},
    packages=find_packages('src'),
    # An editable installation reads its data from the source tree; a copy would go stale.
    data_files=[] if 'editable_wheel' in sys.argv else data_files(),
    python_requires='>=3.11',
    install_requires=['setuptools'],
    # iniVation cameras and recordings; everything else works without it.
    # The task suite's POPGym tasks; the others need no more than requirements.txt.
    # Recordings as a LeRobotDataset: Parquet and video.
    extras_require={
        'dv': ['dv-processing==2.0.4'],
        'pomdp': ['popgym==1.0.7'],
        'lerobot': ['av==18.1.0', 'pyarrow==26.0.1'],
    },
    zip_safe=False,
    description='Fine-tunes a recurrent driving policy while it drives, by real-time recurrent RL.',
    license='Apache-2.0',
    maintainer='rtrrl_ros maintainers',
    maintainer_email='maintainers@example.org',
    entry_points={
        'console_scripts': [
            f'rtrrl = {NAME}.cli.main:main',
            *(f'{node} = {NAME}.nodes.{node}:main' for node in NODES),
        ],
    },
)
