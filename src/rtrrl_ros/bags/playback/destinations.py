"""Where a replay may publish: below /replay and below /recorded, and nowhere else.

No car and no live graph of ours listens there. What the sensors and the reward said comes back
below /replay, where the replayed graph hears it, but only topics of a list, with the types of that
list. Everything else a bag holds, above all what once was a command or a person's hand on the
joystick, comes back below /recorded, to be looked at.
"""

from collections.abc import Mapping

from ...errors import UserError

#: roots of what is replayed to a graph, and of what is only shown
REPLAY, RECORDED = '/replay', '/recorded'
#: the one topic elsewhere: time, which commands nothing
CLOCK = '/clock'
CLOCK_TYPE = 'rosgraph_msgs/msg/Clock'

EVENTS, IMAGES, FEATURES = '/event_camera/events', '/image_raw', '/features'
REWARD, EXECUTED, PROPOSAL = '/reward', '/executed', '/drive_proposal'

#: what a replayed encoder gives, on its way through the player in lock-step
ENCODED = f'{REPLAY}/encoded'
#: what a replayed graph may hear; nothing in here moves anything
HEARD: Mapping[str, str] = {
    EVENTS: 'event_camera_msgs/msg/EventPacket',
    IMAGES: 'sensor_msgs/msg/Image',
    '/odom': 'nav_msgs/msg/Odometry',
    '/world_state': 'rtrrl_msgs/msg/WorldState',
    REWARD: 'rtrrl_msgs/msg/Reward',
    FEATURES: 'rtrrl_msgs/msg/Features',
}


def destination(topic: str, type_name: str, features: bool = False) -> str:
    """The topic on which a recorded one is replayed.

    features : whether the replayed graph hears recorded features; else it has those of an encoder,
        and the recorded ones are only shown
    """
    topic = f'/{topic.lstrip("/")}'
    if topic == CLOCK and type_name == CLOCK_TYPE:
        return CLOCK
    heard = HEARD.get(topic) == type_name and (features or topic != FEATURES)
    return (REPLAY if heard else RECORDED) + topic


def is_permitted(name: str, type_name: str) -> bool:
    """Whether a replay may publish this type on a topic, given by its full name."""
    if name == CLOCK:
        return type_name == CLOCK_TYPE
    if name.startswith(f'{REPLAY}/'):
        return HEARD.get(name.removeprefix(REPLAY)) == type_name
    return name.startswith(f'{RECORDED}/')


def check_permitted(name: str, type_name: str) -> None:
    """Raise `UserError` unless a replay may publish there; for names after every remapping."""
    if not is_permitted(name, type_name):
        raise UserError(
            f'a replay never publishes {type_name} on {name}: do not remap the topics of the player'
        )
