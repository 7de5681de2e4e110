"""What a recording is good for when it is replayed to a graph."""

import dataclasses

from ...errors import UserError
from ..reading import Bag
from ..stamps import stamp_ns
from .destinations import EVENTS, EXECUTED, FEATURES, HEARD, IMAGES, REWARD

#: recorded topic of each sensor
SENSOR_TOPICS = {'events': EVENTS, 'images': IMAGES, 'features': FEATURES}
EXECUTED_TYPE = 'rtrrl_msgs/msg/Executed'
#: Reward.FIRST
FIRST = 0


def choose_sensor(bag: Bag, sensor: str, latent_size: int) -> str:
    """What the graph of a model hears: its own sensor, or recorded features where that is missing.

    Parameters
    ----------
    sensor : that the model takes, 'events' or 'images'
    latent_size : length of its features

    Raises
    ------
    UserError : the bag has neither
    """
    if _has(bag, SENSOR_TOPICS[sensor]):
        return sensor
    if _has(bag, FEATURES):
        size = len(bag.message(next(bag.records([FEATURES]))).data)
        if size == latent_size:
            return 'features'
        raise UserError(
            f'{bag.path}: no {SENSOR_TOPICS[sensor]}, and its features have {size} numbers where '
            f'the model has {latent_size}'
        )
    raise UserError(
        f'{bag.path}: neither {SENSOR_TOPICS[sensor]} nor {FEATURES} for the model to drive by; '
        f'the bag has {", ".join(sorted(bag.topics)) or "nothing"}'
    )


@dataclasses.dataclass(frozen=True)
class Partners:
    """Whether each observation can be learned from.

    Attributes
    ----------
    observations : recorded ones from the beginning of the first lap on
    missing : of these, without a reward or without the executed command before it
    """

    observations: int
    missing: int

    @property
    def complete(self) -> bool:
        """A learner in lock-step, which waits for each, would never wait in vain."""
        return self.observations > 0 and not self.missing


def count_partners(bag: Bag, start_ns: int) -> Partners:
    """Look for reward and executed command of each recorded observation from a log time on."""
    if not _has(bag, FEATURES) or not has_rewards(bag):
        return Partners(0, 0)
    features: set[int] = set()
    executed: set[int] = set()
    first: dict[int, bool] = {}
    for record in bag.records([FEATURES, REWARD, EXECUTED], start_ns):
        stamp = stamp_ns(record.data)
        if record.topic == REWARD:
            first[stamp] = bag.message(record).step_type == FIRST
        else:
            (features if record.topic == FEATURES else executed).add(stamp)
    begun = min((stamp for stamp in features if first.get(stamp)), default=None)
    stamps = sorted(stamp for stamp in features if begun is not None and stamp >= begun)
    missing = 0
    before = 0
    for stamp in stamps[:-1]:  # nothing waits for what belongs to the last one
        missing += stamp not in first or not (first[stamp] or before in executed)
        before = stamp
    return Partners(len(stamps), missing)


def has_rewards(bag: Bag) -> bool:
    """Whether there is anything to learn from: rewards, and what was done."""
    executed = bag.topics.get(EXECUTED)
    return _has(bag, REWARD) and executed is not None and executed.type == EXECUTED_TYPE


def _has(bag: Bag, topic: str) -> bool:
    known = bag.topics.get(topic)
    return known is not None and known.count > 0 and known.type == HEARD[topic]
