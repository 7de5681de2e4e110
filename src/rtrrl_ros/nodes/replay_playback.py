"""What plays a bag: at the recorded times, or in lock-step with a graph."""

from collections.abc import Callable

from ..bags.destinations import EVENTS, FEATURES, HEARD, IMAGES
from ..bags.lockstep import LockstepPlayback
from ..bags.observations import Observations
from ..bags.playback import Playback
from ..bags.reading import Bag, Record
from ..bags.rounds import Rounds
from ..errors import UserError
from .bag_player_config import BagPlayerConfig
from .messages import S_NS
from .replay_publishers import ReplayPublishers

#: recorded topic of each sensor
SENSOR_TOPICS = {'events': EVENTS, 'images': IMAGES, 'features': FEATURES}
#: Reward.FIRST
_FIRST = 0


def make_playback(config: BagPlayerConfig, bag: Bag, publishers: ReplayPublishers) -> Playback:
    """Playback at the recorded times."""
    rounds = _rounds(config, bag, publishers)
    return Playback(rounds, publishers.publish, config.rate, config.max_gap_s)


def make_lockstep(
    config: BagPlayerConfig, bag: Bag, publishers: ReplayPublishers
) -> LockstepPlayback:
    """Playback as fast as the graph answers; `UserError` where the bag has no such sensor."""
    sensor = SENSOR_TOPICS[config.sensor]
    if sensor not in publishers.topics:
        reason = publishers.left_out.get(sensor, f'the bag has {", ".join(sorted(bag.topics))}')
        raise UserError(f'{config.bag}: no {sensor} to replay in lock-step; {reason}')

    def is_first(reward: Record) -> bool:
        return bag.message(reward).step_type == _FIRST

    observations = Observations(
        _rounds(config, bag, publishers), sensor, _completes(config, bag),
        offset_ns=0 if config.sensor == 'features' else round(config.stamp_offset_s * S_NS),
        from_first=is_first if config.from_lap_start else None,
    )  # fmt: skip
    return LockstepPlayback(
        observations, publishers.publish, retry_s=config.retry_period_s,
        timeout_s=config.lockstep_timeout_s, first_timeout_s=config.start_timeout_s,
    )  # fmt: skip


def _rounds(config: BagPlayerConfig, bag: Bag, publishers: ReplayPublishers) -> Rounds:
    start_ns = bag.start_ns + round(config.start_s * S_NS)
    if start_ns > bag.end_ns:
        seconds = (bag.end_ns - bag.start_ns) / S_NS
        raise UserError(f'start_s = {config.start_s:g}: the bag is {seconds:.1f} s long')
    return Rounds(
        bag, publishers.topics, start_ns, config.loop,
        has_stamp=publishers.has_stamp, leads=lambda topic: topic in HEARD or topic == FEATURES,
    )  # fmt: skip


def _completes(config: BagPlayerConfig, bag: Bag) -> Callable[[Record], bool]:
    """Each image and vector of features is an observation; packets are where a window ends."""
    if config.sensor != 'events':
        return lambda record: True
    if not config.model:
        raise UserError('model: name the model, whose windows tell what an observation is')
    # imported here: whoever plays at the recorded times needs none of it
    from ..bags.completion import completes_window
    from ..checkpoint import CONFIG, load_checkpoint
    from ..parameters import from_mapping
    from ..perception.events.windows import WindowConfig

    checkpoint = load_checkpoint(config.model)
    if checkpoint.config.get('sensor', 'images') != 'events':
        raise UserError(f'{config.model} takes images, not events')
    where = str(checkpoint.path / CONFIG)
    window = from_mapping(WindowConfig, checkpoint.get('window', dict), where)
    return completes_window(
        bag, window, checkpoint.get('width', int), checkpoint.get('height', int)
    )
