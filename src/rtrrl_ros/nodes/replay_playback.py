"""What plays a bag: at the recorded times, or in lock-step with a graph."""

from rclpy.node import Node

from ..bags.playback.destinations import ENCODED, EXECUTED, HEARD, PROPOSAL, REPLAY, REWARD
from ..bags.playback.lockstep import MAX_AHEAD, LockstepPlayback
from ..bags.playback.pacing import Playback
from ..bags.playback.read_ahead import ReadAhead
from ..bags.playback.replay_plan import FIRST, SENSOR_TOPICS
from ..bags.playback.rounds import Rounds
from ..bags.reading import Bag, Record
from ..errors import UserError
from .bag_player_config import BagPlayerConfig
from .messages import S_NS
from .replay_publishers import ReplayPublishers


def make_playback(
    config: BagPlayerConfig, bag: Bag, publishers: ReplayPublishers
) -> Playback | LockstepPlayback:
    """What the parameters ask for; `UserError` where the bag has nothing for it."""
    if not any(topic.count for topic in bag.topics.values()):
        raise UserError(f'{config.bag}: there is not a single message to play')
    if config.lockstep:
        return _lockstep(config, bag, publishers)
    rounds = _rounds(config, bag, publishers)
    return Playback(rounds, publishers.publish, config.rate, config.max_gap_s)


def _lockstep(config: BagPlayerConfig, bag: Bag, publishers: ReplayPublishers) -> LockstepPlayback:
    sensor = SENSOR_TOPICS[config.sensor]
    if sensor not in publishers.topics:
        reason = publishers.left_out.get(sensor, f'the bag has {", ".join(sorted(bag.topics))}')
        raise UserError(f'{config.bag}: no {sensor} to replay in lock-step; {reason}')

    def begins(reward: Record) -> bool:
        return not config.from_lap_start or bag.message(reward).step_type == FIRST

    encoder = config.sensor != 'features'
    # an encoder's windows begin with what it hears first: with what was an observation before
    recording = ReadAhead(
        _rounds(config, bag, publishers), sensor,
        offset_ns=round(config.stamp_offset_s * S_NS) if encoder else 0,
        begins=begins if config.from_lap_start or REWARD in publishers.topics else None,
    )  # fmt: skip
    return LockstepPlayback(
        recording, publishers.publish, publishers.relay, encoder=encoder,
        ahead=1 if config.sensor == 'images' else MAX_AHEAD, retry_s=config.retry_period_s,
        timeout_s=config.lockstep_timeout_s, first_timeout_s=config.start_timeout_s,
    )  # fmt: skip


def _rounds(config: BagPlayerConfig, bag: Bag, publishers: ReplayPublishers) -> Rounds:
    start_ns = bag.start_ns + round(config.start_s * S_NS)
    if start_ns > bag.end_ns:
        seconds = (bag.end_ns - bag.start_ns) / S_NS
        raise UserError(f'start_s = {config.start_s:g}: the bag is {seconds:.1f} s long')
    return Rounds(
        bag, publishers.topics, start_ns, config.loop,
        has_stamp=publishers.has_stamp, leads=lambda topic: topic in HEARD,
    )  # fmt: skip


def graph_is_up(node: Node, config: BagPlayerConfig, publishers: ReplayPublishers) -> bool:
    """Whether somebody answers, and everything that the bag has for them is heard."""
    heard = {SENSOR_TOPICS[config.sensor], REWARD, EXECUTED} & {*publishers.topics}
    answers = {REPLAY + PROPOSAL}
    if config.lockstep and config.sensor != 'features':
        heard, answers = heard | {ENCODED}, answers | {ENCODED}
    return all(map(node.count_publishers, answers)) and all(map(publishers.listeners, heard))
