"""The course of a simulated run: laps one after the other, each answered command by command.

No ROS: the node adds topics and clocks.
"""

from ..safety.command import Command
from ..worlds.contract import Observation, StepType, World


class WorldCourse:
    """Drives a world through its laps.

    Parameters
    ----------
    world : closed by whoever made it
    laps : how many; 0: without end

    Attributes
    ----------
    observation : the newest
    finished : True once the LAST observation of the last lap has been answered
    """

    def __init__(self, world: World, laps: int) -> None:
        self._world, self._laps = world, laps
        self.finished = False
        self.observation: Observation = world.reset(0)

    @property
    def stamp_ns(self) -> int:
        return self.observation.stamp_ns

    @property
    def lap(self) -> int:
        return self.observation.state.lap

    def advance(self, command: Command) -> Observation | None:
        """The observation after `command`, None once the course is finished.

        What answers a LAST observation is not driven: the next lap begins.
        """
        if self.finished:
            return None
        if self.observation.state.step_type is not StepType.LAST:
            self.observation = self._world.step(command)
        elif self.lap + 1 == self._laps:
            self.finished = True
            return None
        else:
            self.observation = self._world.reset(self.lap + 1)
        return self.observation
