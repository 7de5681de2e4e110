"""Parameters of the bag recorder."""

import dataclasses

from ..bags.mcap_writing import COMPRESSIONS
from ..parameters import Checked, parameter

#: everything of a drive: what is recorded if nothing is named
TOPICS = (
    '/event_camera/events image_raw features drive_proposal executed drive reward learner_status '
    'learner_run world_state odom joy teleop ackermann_cmd /diagnostics'
)


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
