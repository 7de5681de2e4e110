"""Where nodes get the pose of the car from: odometry, or a localisation's poses."""

import dataclasses
from collections.abc import Callable

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from ..parameters import Checked, parameter
from ..tracking.poses import Pose
from .managed_node import ManagedNode
from .messages import stamp_ns
from .odometry import odometry_pose

#: heard from any publisher, with room for a second of the fastest odometry
POSES = QoSProfile(
    depth=200,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)


@dataclasses.dataclass(frozen=True)
class PoseInputConfig(Checked):
    """Which topic tells where the car is."""

    pose_source: str = parameter(
        'odom', "'odom': nav_msgs/Odometry on odom, with its speed; 'pose': "
        'geometry_msgs/PoseStamped on pose, of a localisation that does not drift',
        choices=('odom', 'pose'),
    )  # fmt: skip


def subscribe_poses(
    node: ManagedNode, config: PoseInputConfig, callback: Callable[[Pose], None]
) -> None:
    """Have the callback called with every pose; those of PoseStamped have no speed."""

    def on_odometry(message: Odometry) -> None:
        twist = message.twist.twist
        motion = twist.linear.x, twist.angular.z
        callback(Pose(stamp_ns(message), *odometry_pose(message), *motion))

    def on_pose(message: PoseStamped) -> None:
        wrapped = Odometry(header=message.header)
        wrapped.pose.pose = message.pose
        callback(Pose(stamp_ns(message), *odometry_pose(wrapped)))

    if config.pose_source == 'odom':
        node.subscribe(Odometry, 'odom', on_odometry, POSES)
    else:
        node.subscribe(PoseStamped, 'pose', on_pose, POSES)
