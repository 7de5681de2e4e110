"""Records the reference line: drive one lap by hand, and the CSV file is written."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from ..errors import UserError
from ..parameters import Checked, parameter
from ..tracking.poses import Pose, PoseBuffer
from ..tracking.recording import LineRecorder
from ..tracking.reference_line import save_reference_line
from .diagnostics import OK, WARN
from .managed_node import ManagedNode
from .pose_input import PoseInputConfig, subscribe_poses
from .process import run_node


@dataclasses.dataclass(frozen=True)
class LineRecorderNodeConfig(Checked):
    """Parameters of the node."""

    out: str = parameter('', 'CSV file to write; must not exist')


class LineRecorderNode(ManagedNode):
    """Feeds `LineRecorder`, writes the line once the lap is closed, and ends."""

    sections = (LineRecorderNodeConfig, PoseInputConfig)

    def __init__(self) -> None:
        super().__init__('line_recorder_node')

    def configure(self) -> None:
        out = self.section(LineRecorderNodeConfig).out
        if not out:
            raise UserError('out: name the CSV file to write')
        self._out = Path(out)
        if self._out.exists():
            raise UserError(f'out = {out}: exists already; name a new file')
        if not self._out.resolve().parent.is_dir():
            raise UserError(f'out = {out}: no such folder')
        self._source = self.section(PoseInputConfig)
        subscribe_poses(self, self._source, self._on_pose)

    def activate(self) -> None:
        self._recorder = LineRecorder()
        self._poses = PoseBuffer(1.0, differentiate=self._source.pose_source == 'pose')
        self._written = False

    def deactivate(self) -> None:
        if self._written or not self._recorder.driven_m:
            return
        try:
            self._write()
        except UserError as error:
            self.finish(1, str(error))

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        driven_m = self._recorder.driven_m
        line = f'{driven_m:.1f} m recorded' if driven_m else 'waiting for the car to move'
        return (OK if driven_m else WARN), line, {'pose_jumps': self._poses.jumps}

    def _on_pose(self, pose: Pose) -> None:
        self._poses.add(pose)
        if self._poses.jumps:
            self.finish(1, 'the pose jumped: a line with a jump is of no use; record it again')
            return
        newest = self._poses.newest
        if newest is not None and not self._written and self._recorder.add(newest):
            self._write()
            self.finish(0)

    def _write(self) -> None:
        line = self._recorder.reference_line()
        save_reference_line(self._out, line)
        self._written = True
        self.get_logger().info(f'{self._out}: a reference line of {line.length_m:.2f} m')


def main() -> NoReturn:
    """Run the node."""
    run_node(LineRecorderNode)


if __name__ == '__main__':
    main()
