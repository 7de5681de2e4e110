"""What a recording lacks for each use that is made of recordings, and what to mind."""

import dataclasses
from collections.abc import Container, Iterable, Mapping, Sequence

from . import kinds
from .driving import PAIRING_S, CommandSummary
from .events import EventSummary
from .timing import TopicTiming

SENSOR = '/event_camera/events'
#: shares and numbers at which something is worth a word
LOST_PACKETS, STANDING, PAIRED = 0.001, 0.3, 0.9
COMMAND_RATE_HZ, LAPS = 15.0, 3
#: steering that varies less than this is that of a straight line or of a broken joystick, rad
LEAST_STEERING_STD_RAD = 0.01
#: a mean this far from straight, in standard deviations, is a course with bends to one side only
_ONE_SIDED = 1.0


@dataclasses.dataclass(frozen=True)
class Use:
    """One use of a recording: nothing missing means that it can be used."""

    name: str
    command: str
    missing: list[str]

    @property
    def ready(self) -> bool:
        return not self.missing


def uses(
    topics: Sequence[TopicTiming], events: EventSummary | None,
    commands: Mapping[str, CommandSummary],
) -> list[Use]:  # fmt: skip
    """What is missing for cloning, for an exact replay, and for trying another learner."""
    there = {(t.name, t.kind) for t in topics if t.count > t.damaged}
    sensed = _sensor_missing(there, events)
    inputs = [] if not sensed or ('/features', kinds.FEATURES) in there else sensed
    steps = [
        f'{name} ({kind})'
        for name, kind in (('/executed', kinds.EXECUTED), ('/reward', kinds.REWARD))
        if (name, kind) not in there
    ]
    told = [] if ('/learner_run', kinds.TEXT) in there else [
        '/learner_run: which model and settings drove'
    ]  # fmt: skip
    return [
        Use('cloning', 'rtrrl pretrain line --data', sensed + _label_missing(there, commands)),
        Use('exact replay', 'rtrrl replay --exact', inputs + steps + told),
        Use('what-if', 'rtrrl replay --learner', inputs + steps),
    ]


def _sensor_missing(there: Container[tuple[str, str]], events: EventSummary | None) -> list[str]:
    if events is None:
        if ('/image_raw', kinds.IMAGE) in there:
            return []
        return [f'/event_camera/events ({kinds.EVENTS}) or /image_raw: what the car saw']
    if not events.decoded:
        why = next(iter(events.faults.values()), 'there is no packet')
        return [f'events that can be decoded: {why}']
    if not events.count:
        return ['events: all packets are empty']
    if (SENSOR, kinds.EVENTS) not in there:
        return [f'{SENSOR}: the events are on {events.topic}']
    return []


def _label_missing(
    there: Container[tuple[str, str]], commands: Mapping[str, CommandSummary]
) -> list[str]:
    label = label_of(commands)
    executed = commands.get('/executed')
    if label is None:
        return [
            "a person's commands: /teleop, or /executed with takeovers, or /ackermann_cmd of a "
            'drive without a policy'
        ]
    if executed is not None and executed.count and not executed.modes.get('TAKEOVER', 0):
        return ["a person's driving: /executed says that the policy drove all the time"]
    if label.compared and not label.paired:
        return [
            f'commands that belong to what was seen: the stamps of {label.topic} are '
            f'{label.distance_s:.3g} s (median) from those of the sensor, more than {PAIRING_S:g} s'
        ]
    return []


def label_of(commands: Mapping[str, CommandSummary]) -> CommandSummary | None:
    """The commands that a policy is cloned from; chosen as `bags.demonstrations.pairing` does."""
    teleop, executed, sent, drive = (
        commands.get(name) for name in ('/teleop', '/executed', '/ackermann_cmd', '/drive')
    )
    if teleop is not None and teleop.count:
        return teleop
    if executed is not None and executed.count:
        return executed if executed.modes.get('TAKEOVER', 0) else None
    if sent is not None and sent.count and not (drive is not None and drive.count):
        return sent
    return None


def remarks(
    topics: Sequence[TopicTiming], events: EventSummary | None,
    commands: Mapping[str, CommandSummary], laps: int | None,
) -> list[str]:  # fmt: skip
    """What to mind before training on this recording, one line each."""
    lines = list(_about_topics(topics))
    if events is not None:
        lines += _about_events(events)
    label = label_of(commands)
    if label is not None:
        lines += _about_label(label, topics)
    lines += [
        f'{command.topic}: {command.not_finite} commands are not finite'
        for command in commands.values()
        if command.not_finite
    ]
    if laps is None:
        lines.append('no laps can be told apart: record reward, world_state or odom')
    elif laps < LAPS:
        lines.append(f'whole laps: {laps}; three are what a clone was trained on so far')
    return lines


def _about_topics(topics: Sequence[TopicTiming]) -> Iterable[str]:
    for timing in topics:
        if not timing.count:
            yield f'{timing.name} is empty'
        if timing.damaged:
            yield f'{timing.name}: {timing.damaged} of {timing.count} messages cannot be read'
        if timing.backwards:
            yield f'{timing.name}: {timing.backwards} stamps are earlier than the one before'
        if timing.lost and timing.kind != kinds.EVENTS:
            yield f'{timing.name}: {timing.lost} messages were lost (by seq)'
    paces = {
        timing.name: timing.simulated or timing.other_epoch
        for timing in topics
        if timing.drift_ppm is not None and kinds.base_name(timing.name) in kinds.EXPECTED
    }
    if any(paces.values()) and not all(paces.values()):
        other = ', '.join(sorted(name for name, simulated in paces.items() if not simulated))
        yield f'some stamps are of simulated time, those of {other} are not'


def _about_events(events: EventSummary) -> Iterable[str]:
    sent = events.lost_packets + max(1, events.to_json()['packets'])
    if events.lost_packets > LOST_PACKETS * sent:
        yield (
            f'{events.topic}: {events.lost_packets} of {sent} packets were lost (by seq): '
            'more than one in a thousand, record again'
        )
    for fault in events.faults.values():
        yield f'{events.topic}: {fault}'
    if len(events.encodings) > 1:
        yield f'{events.topic}: the encoding changes: {", ".join(events.encodings)}'
    if events.count and not 0.1 < events.on / events.count < 0.9:
        yield f'{events.topic}: {events.on / events.count:.0%} ON events: check the bias'


def _about_label(label: CommandSummary, topics: Sequence[TopicTiming]) -> Iterable[str]:
    timing = next(timing for timing in topics if timing.name == label.topic)
    rate_hz = timing.stamp_rate_hz or timing.rate_hz
    if 0.0 < rate_hz < COMMAND_RATE_HZ:
        yield f'{label.topic}: only {rate_hz:.1f} commands a second'
    if timing.gaps:
        yield f'{label.topic}: gaps: {timing.gaps}, the longest {timing.longest_gap_s:.3g} s'
    if label.compared and 0 < label.paired < PAIRED * label.compared:
        yield (
            f'{label.topic}: {label.paired / label.compared:.0%} of the commands are within '
            f'{1e3 * PAIRING_S:.0f} ms of what the sensor saw; the rest will be dropped'
        )
    if label.count and label.standing > STANDING * label.count:
        yield f'{label.topic}: the car was told to stand {label.standing / label.count:.0%} of it'
    if label.std_rad < LEAST_STEERING_STD_RAD:
        yield f'{label.topic}: the steering hardly changes (standard deviation {label.std_rad:.4f})'
    elif abs(label.mean_rad) > _ONE_SIDED * label.std_rad:
        side = 'left' if label.mean_rad > 0 else 'right'
        yield f'{label.topic}: steers to the {side} nearly always: mirror it or drive the other way'
