"""Quality of service of the graph's topics."""

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

DEPTH = 100

#: what counts only now: commands, images
STREAM = QoSProfile(
    depth=DEPTH,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
#: the same for a subscriber that falls behind and then wants the newest only
NEWEST = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
#: what people's devices send over and over: heard from any publisher, reliable or not
DEVICE = QoSProfile(
    depth=10,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)
#: what learning, or a recorder, must not miss even if it comes up late: rewards, world states,
#: executed commands; features and proposals, which who acts on them hears as a stream
RECORD = QoSProfile(
    depth=DEPTH,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
#: the same where none may be missed by who is slow, or by who comes up late in lock-step, where a
#: thousand of them pass in a second
LEDGER = QoSProfile(
    depth=10_000,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
#: what event cameras send: up to a thousand packets a second, heard from any publisher
EVENTS = QoSProfile(
    depth=1000,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)
#: the same in lock-step, where none may be lost
EVENTS_COMPLETE = QoSProfile(
    depth=1000,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
#: the newest picture of a camera
NEWEST_OF_DEVICE = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)
