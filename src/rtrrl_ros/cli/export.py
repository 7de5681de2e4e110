"""`rtrrl export`: recordings as a LeRobotDataset."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .options import makeable, writable, write_json

if TYPE_CHECKING:
    from ..perception.events.frames import FrameConfig
    from ..perception.events.windows import WindowConfig

TASK = 'follow the line'


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'export',
        help='write recordings as a LeRobotDataset (Parquet and video)',
        description='Write demonstrations out of bags as a LeRobotDataset, version 3.0: what the '
        'policy sees as video; speed, yaw rate and steering; what the person asked for; rewards. '
        "An episode is a lap, or what lies between pauses. Needs pip install 'rtrrl_ros[lerobot]'.",
        epilog='Example: rtrrl export three-laps --out three-laps-lerobot\n'
        'Example: rtrrl export monday tuesday.mcap drive.aedat4 --out my-car --task "keep right"\n'
        'Example: rtrrl export monday --out my-car --model models/line-lrcssm --json -',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'bags', nargs='+', type=Path, metavar='BAG',
        help='bags with events and teleop, executed or ackermann_cmd; or .aedat4 files, each with '
        'such a bag of the same name beside it',
    )  # fmt: skip
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='new folder')
    parser.add_argument('--task', default=TASK, help=f'what is being done; default: {TASK}')
    parser.add_argument(
        '--model', type=Path, metavar='DIR',
        help='frames as this model sees them; default: as `rtrrl pretrain line` makes them',
    )  # fmt: skip
    parser.add_argument(
        '--window', type=float, metavar='MS', help='a frame for each; default 10 ms: 100 per second'
    )
    parser.add_argument(
        '--max-skew', type=float, metavar='S',
        help='a command further from a frame in time is not its command; default 0.05 s',
    )  # fmt: skip
    parser.add_argument(
        '--max-gap', type=float, metavar='S',
        help='frames further apart are of two episodes; default: 1.5 windows',
    )  # fmt: skip
    parser.add_argument(
        '--reference', type=Path, metavar='CSV',
        help='line that was followed (see line_recorder_node): laps and rewards from odom along it',
    )  # fmt: skip
    parser.add_argument('--no-rewards', action='store_true', help='leave rewards out')
    parser.add_argument(
        '--cache', type=Path, metavar='DIR',
        help='keep decoded frames there; default ~/.cache/rtrrl_ros/frames',
    )  # fmt: skip
    parser.add_argument('--json', metavar='FILE', help='write the summary there; - for stdout')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..bags.demonstrations.frame_cache import default_cache
    from ..bags.demonstrations.laps import RecordedConfig
    from ..bags.lerobot.export import GAP_WINDOWS, ExportConfig, export
    from ..tracking.reference_line import load_reference_line
    from .progress import Stages

    makeable(options.out)
    writable(options.json)
    window, frames = _sight(options)
    gap_s = GAP_WINDOWS * window.window_ms / 1e3 if options.max_gap is None else options.max_gap
    skew = {} if options.max_skew is None else {'max_skew_s': options.max_skew}
    reference = load_reference_line(options.reference) if options.reference else None
    config = ExportConfig(
        window, frames, RecordedConfig(max_gap_s=gap_s, **skew), options.task,
        not options.no_rewards, reference,
    )  # fmt: skip
    with Stages() as stages:
        summary = export(
            options.bags, options.out, options.cache or default_cache(), config, stages.update
        )
        notes = summary['notes']
        for name, value in summary.items():
            shown = f'{value:.3f}' if isinstance(value, float) else value
            if name not in ('notes', 'features'):
                stages.console.print(f'{name:28s} {shown}')
        for note in notes:
            stages.console.print(f'note: {note}')
    write_json(summary, options.json)
    return 0


def _sight(options: argparse.Namespace) -> 'tuple[WindowConfig, FrameConfig]':
    """Which windows of events become frames, and how."""
    from ..checkpoint import CONFIG, load_checkpoint
    from ..imitation.line_laps import FRAMES
    from ..parameters import from_mapping
    from ..perception.events.frames import FrameConfig
    from ..perception.events.windows import WindowConfig

    given = {} if options.window is None else {'window_ms': options.window}
    if options.model is None:
        return WindowConfig(**given), FRAMES
    checkpoint = load_checkpoint(options.model)
    if checkpoint.config.get('sensor', 'images') != 'events':
        raise UserError(f'--model {options.model}: it sees images, not events')
    where = str(checkpoint.path / CONFIG)
    window = from_mapping(WindowConfig, checkpoint.get('window', dict), where)
    frames = from_mapping(FrameConfig, checkpoint.get('frame', dict), where)
    return dataclasses.replace(window, **given), frames
