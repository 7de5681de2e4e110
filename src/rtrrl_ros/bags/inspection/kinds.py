"""What the topics of a recording are called, and their types."""

from collections.abc import Mapping

from ..reading import Topic

EVENTS = 'event_camera_msgs/msg/EventPacket'
IMAGE = 'sensor_msgs/msg/Image'
FEATURES = 'rtrrl_msgs/msg/Features'
COMMAND = 'ackermann_msgs/msg/AckermannDriveStamped'
EXECUTED = 'rtrrl_msgs/msg/Executed'
REWARD = 'rtrrl_msgs/msg/Reward'
STATUS = 'rtrrl_msgs/msg/LearnerStatus'
STATE = 'rtrrl_msgs/msg/WorldState'
ODOMETRY = 'nav_msgs/msg/Odometry'
TEXT = 'std_msgs/msg/String'

#: names that mean one type only; another one is a mistake worth telling
EXPECTED = {
    'events': EVENTS, 'image_raw': IMAGE, 'features': FEATURES, 'drive_proposal': COMMAND,
    'drive': COMMAND, 'teleop': COMMAND, 'ackermann_cmd': COMMAND, 'executed': EXECUTED,
    'reward': REWARD, 'learner_status': STATUS, 'world_state': STATE, 'odom': ODOMETRY,
    'learner_run': TEXT,
}  # fmt: skip


def base_name(topic: str) -> str:
    """The last part of a topic's name: what it is, in whatever namespace."""
    return topic.rsplit('/', 1)[-1]


def of_type(topics: Mapping[str, Topic], kind: str) -> list[str]:
    """Names of the topics of a type, in whatever namespace; the one with most messages first."""
    found = [topic for topic in topics.values() if topic.type == kind]
    return [topic.name for topic in sorted(found, key=lambda t: (-t.count, t.name))]


def wrong_types(topics: Mapping[str, Topic]) -> list[str]:
    """One line for each topic whose name promises another type."""
    return [
        f'{topic.name} holds {topic.type}, not {EXPECTED[base_name(topic.name)]}: it is ignored'
        for topic in topics.values()
        if EXPECTED.get(base_name(topic.name), topic.type) != topic.type
    ]
