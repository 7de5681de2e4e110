"""Parameters of the bag recorder."""

import dataclasses

from ..bags.storage.mcap_writing import COMPRESSIONS
from ..parameters import Checked, parameter

_DRIVE = 'ackermann_msgs/msg/AckermannDriveStamped'
#: everything of a drive, recorded if nothing is named: {topic: (type, durability)}
TOPICS = {
    '/event_camera/events': ('event_camera_msgs/msg/EventPacket', 'volatile'),
    'image_raw': ('sensor_msgs/msg/Image', 'volatile'),
    'features': ('rtrrl_msgs/msg/Features', 'transient_local'),
    'drive_proposal': (_DRIVE, 'transient_local'),
    'executed': ('rtrrl_msgs/msg/Executed', 'transient_local'),
    'drive': (_DRIVE, 'volatile'),
    'reward': ('rtrrl_msgs/msg/Reward', 'transient_local'),
    'learner_status': ('rtrrl_msgs/msg/LearnerStatus', 'transient_local'),
    'learner_run': ('std_msgs/msg/String', 'transient_local'),
    'world_state': ('rtrrl_msgs/msg/WorldState', 'transient_local'),
    'odom': ('nav_msgs/msg/Odometry', 'volatile'),
    'joy': ('sensor_msgs/msg/Joy', 'volatile'),
    'teleop': (_DRIVE, 'volatile'),
    'ackermann_cmd': (_DRIVE, 'volatile'),
    '/diagnostics': ('diagnostic_msgs/msg/DiagnosticArray', 'volatile'),
}


@dataclasses.dataclass(frozen=True)
class BagRecorderConfig(Checked):
    """What is recorded, where to, and when the black box is written out."""

    out: str = parameter('', 'folder of the bag; must not exist; empty: the black box alone')
    topics: str = parameter(
        '', "names with spaces between them; 'all': all there are; empty: everything of a drive"
    )
    also: str = parameter('', 'more names')
    split_megabytes: int = parameter(
        1024, 'begin a new file after; 0: never', unit='MB', low=0, high=1_000_000
    )
    compression: str = parameter('none', 'of the files', choices=COMPRESSIONS)
    least_free_megabytes: int = parameter(
        100, 'stop recording when the disk has less left', unit='MB', low=0, high=1_000_000
    )
    black_box: str = parameter('', 'folder for the bags of the black box; empty: no black box')
    black_box_s: float = parameter(30.0, 'it reaches back', unit='s', low=1.0, high=600.0)
    black_box_after_s: float = parameter(
        2.0, 'and goes on after a fault', unit='s', low=0.0, high=60.0
    )
    black_box_megabytes: int = parameter(
        512, 'memory for it at most', unit='MB', low=1, high=100_000
    )
    black_box_dumps: int = parameter(20, 'of one run at most', low=1, high=10_000)
