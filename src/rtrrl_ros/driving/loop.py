"""The loop without ROS: the same parts as the graph, called in lock-step in one process."""

from collections.abc import Callable

from ..errors import UserError
from ..perception.pipeline import Pipeline
from ..safety.gate import Gate
from ..worlds.contract import StepType, World, WorldState
from .driver import Driver, DriverReport, RewardSignal
from .laps import Lap, LapRecorder


def drive_laps(
    world: World, pipeline: Pipeline, driver: Driver, gate: Gate,
    reward: Callable[[WorldState], float],
    laps: int, on_lap: Callable[[Lap], None] = lambda lap: None,
    on_step: Callable[[RewardSignal, DriverReport | None], None] = lambda signal, report: None,
) -> list[Lap]:  # fmt: skip
    """Drive `laps` laps from lap 0 on; returns them.

    `on_lap` is called after each lap, `on_step` after each observation. A policy that has no
    finite action raises `UserError`, as the lock-stepped graph then stops.
    """
    recorder = LapRecorder()
    reports: list[DriverReport] = []
    driver.on_report = reports.append
    for index in range(laps):
        observation = world.reset(index)
        pipeline.reset()
        while True:
            state = observation.state
            signal = RewardSignal.of(state, reward(state))
            lap = recorder.on_reward(signal)
            features = pipeline.observe(observation.sensed)
            commands = list(driver.on_features(state.stamp_ns, features))
            commands += driver.on_reward(signal)
            if not commands:
                raise UserError('the model gives no finite action for what it sees')
            output = gate.propose(commands[-1], state.stamp_ns * 1e-9)
            list(driver.on_executed(state.stamp_ns, output.mode))
            on_step(signal, reports[-1] if reports else None)
            if state.step_type is StepType.LAST:
                assert lap is not None
                end = reports[-1].lap_end if reports else None
                if end is not None:
                    lap.rolled_back, lap.note = end.rolled_back, end.note
                on_lap(lap)
                break
            reports.clear()
            observation = world.step(output.command)
    return recorder.laps
