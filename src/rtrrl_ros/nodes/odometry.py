"""Between nav_msgs/Odometry and the pose and motion of the rear axle."""

import math

import numpy as np
from geometry_msgs.msg import Point, Quaternion
from nav_msgs.msg import Odometry

from .messages import make_header


def odometry_message(
    stamp: int, pose: np.ndarray, speed_m_s: float, yaw_rate_rad_s: float
) -> Odometry:
    """Pose (x, y, heading) of the rear axle in frame odom, and its motion."""
    x, y, heading = (float(value) for value in pose)
    message = Odometry(header=make_header(stamp, 'odom'), child_frame_id='base_link')
    message.pose.pose.position = Point(x=x, y=y)
    message.pose.pose.orientation = Quaternion(z=math.sin(0.5 * heading), w=math.cos(0.5 * heading))
    message.twist.twist.linear.x = speed_m_s
    message.twist.twist.angular.z = yaw_rate_rad_s
    return message


def odometry_pose(message: Odometry) -> tuple[float, float, float]:
    """x and y in m and heading in (-pi, pi]; of the orientation only the turn about z counts."""
    position, q = message.pose.pose.position, message.pose.pose.orientation
    heading = math.atan2(2.0 * (q.w * q.z + q.x * q.y), 1.0 - 2.0 * (q.y * q.y + q.z * q.z))
    return position.x, position.y, heading
