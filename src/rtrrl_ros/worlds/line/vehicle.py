"""The dynamic single-track model of a 1:10 car, with its servo, motor controller and latency.

The equations are those of the single-track model of Althoff, Koschi and Manzinger, "CommonRoad:
Composable benchmarks for motion planning on roads", 2017, and its document "CommonRoad: Vehicle
models": linear tyres with load transfer between the axles, and the kinematic model below 0.1 m/s.
The package commonroad-vehicle-models, which a test compares them with, has one cornering stiffness
for both axles and no parameters of a 1:10 car. Ours are the ones that the RoboRacer (F1TENTH)
simulator comes with, with one stiffness for each axle.
"""

import dataclasses
import math

import numpy as np

from ...machine_code import numba
from ...parameters import Checked, parameter

GRAVITY_M_S2 = 9.81
#: slower than this the kinematic model holds (the dynamic one divides by the speed)
KINEMATIC_BELOW_M_S = 0.1
#: integration step; the fastest mode of the dynamic model is 1.1 kHz at 0.1 m/s
STEP_S = 0.001

#: places in the state vector; position and speed are those of the centre of mass
X, Y, STEERING, SPEED, YAW, YAW_RATE, SLIP = range(7)

_SOURCE = 'f1tenth_gym, default parameters'


@dataclasses.dataclass(frozen=True)
class VehicleConfig(Checked):
    """The car. What is not from the F1TENTH simulator are typical values of its parts."""

    mass_kg: float = parameter(3.74, 'mass', unit='kg', low=0.1, high=100.0, source=_SOURCE)
    yaw_inertia_kg_m2: float = parameter(
        0.04712, 'moment of inertia about the vertical', unit='kg m2', low=1e-3, high=10.0,
        source=_SOURCE,
    )  # fmt: skip
    front_axle_m: float = parameter(
        0.15875, 'from the centre of mass to the front axle', unit='m', low=0.01, high=1.0,
        source=_SOURCE,
    )  # fmt: skip
    rear_axle_m: float = parameter(
        0.17145, 'from the centre of mass to the rear axle', unit='m', low=0.01, high=1.0,
        source=_SOURCE,
    )  # fmt: skip
    mass_height_m: float = parameter(
        0.074, 'height of the centre of mass', unit='m', low=0.0, high=1.0, source=_SOURCE
    )
    friction: float = parameter(
        1.0489, 'friction coefficient of the tyres', low=0.05, high=2.0, source=_SOURCE
    )
    front_stiffness_1_rad: float = parameter(
        4.718, 'cornering stiffness of the front tyres over friction and load', unit='1/rad',
        low=0.5, high=50.0, source=_SOURCE,
    )  # fmt: skip
    rear_stiffness_1_rad: float = parameter(
        5.4562, 'cornering stiffness of the rear tyres over friction and load', unit='1/rad',
        low=0.5, high=50.0, source=_SOURCE,
    )  # fmt: skip
    max_steering_angle_rad: float = parameter(
        0.4189, 'where the front wheels stop', unit='rad', low=0.05, high=1.0, source=_SOURCE
    )
    max_steering_rate_rad_s: float = parameter(
        3.2, 'fastest turning of the front wheels', unit='rad/s', low=0.1, high=100.0,
        source=_SOURCE,
    )  # fmt: skip
    servo_time_constant_s: float = parameter(
        0.03, 'first-order lag of the servo, below its fastest turning', unit='s',
        low=0.002, high=1.0,
    )  # fmt: skip
    speed_time_constant_s: float = parameter(
        0.25, "first-order lag of the motor controller's speed", unit='s', low=0.01, high=5.0
    )
    max_motor_acceleration_m_s2: float = parameter(
        9.51, 'strongest acceleration and braking of the motor', unit='m/s2', low=0.1, high=50.0,
        source=_SOURCE,
    )  # fmt: skip
    command_latency_s: float = parameter(
        0.01, 'from the arrival of a command to the servo and motor that act on it', unit='s',
        low=0.0, high=0.5,
    )  # fmt: skip

    @property
    def wheelbase_m(self) -> float:
        return self.front_axle_m + self.rear_axle_m

    def constants(self) -> np.ndarray:
        """What the compiled functions read, (12,)."""
        return np.array([
            self.mass_kg, self.yaw_inertia_kg_m2, self.front_axle_m, self.rear_axle_m,
            self.mass_height_m, self.friction, self.front_stiffness_1_rad,
            self.rear_stiffness_1_rad, self.max_steering_rate_rad_s, self.servo_time_constant_s,
            self.speed_time_constant_s, self.max_motor_acceleration_m_s2,
        ])  # fmt: skip


@numba.njit(cache=True, error_model='numpy')
def derivative(
    state: np.ndarray, steering_rate: float, acceleration: float, constants: np.ndarray,
    out: np.ndarray,
) -> None:  # fmt: skip
    """The right-hand side of the single-track model, d state / d t, into `out` (7,)."""
    mass, inertia, front, rear, height, friction, c_front, c_rear = constants[:8]
    base = front + rear
    steering, speed, yaw = state[STEERING], state[SPEED], state[YAW]
    yaw_rate, slip = state[YAW_RATE], state[SLIP]
    out[STEERING], out[SPEED] = steering_rate, acceleration
    if abs(speed) < KINEMATIC_BELOW_M_S:
        tangent, cosine = math.tan(steering), math.cos(steering)
        angle = math.atan(tangent * rear / base)
        out[X] = speed * math.cos(angle + yaw)
        out[Y] = speed * math.sin(angle + yaw)
        out[YAW] = speed * math.cos(angle) * tangent / base
        slip_rate = (
            rear * steering_rate / (base * cosine**2 * (1.0 + (tangent**2 * rear / base) ** 2))
        )
        out[SLIP] = slip_rate
        out[YAW_RATE] = (
            acceleration * math.cos(slip) * tangent
            - speed * math.sin(slip) * slip_rate * tangent
            + speed * math.cos(slip) * steering_rate / cosine**2
        ) / base
        return
    # Tyre forces over mass, slip angle and friction; braking loads the front axle.
    on_front = c_front * (GRAVITY_M_S2 * rear - acceleration * height)
    on_rear = c_rear * (GRAVITY_M_S2 * front + acceleration * height)
    turning = friction * mass / (inertia * base)
    pushing = friction / (speed * base)
    out[X] = speed * math.cos(slip + yaw)
    out[Y] = speed * math.sin(slip + yaw)
    out[YAW] = yaw_rate
    out[YAW_RATE] = turning * (
        -(front**2 * on_front + rear**2 * on_rear) * yaw_rate / speed
        + (rear * on_rear - front * on_front) * slip
        + front * on_front * steering
    )
    out[SLIP] = (
        (pushing / speed * (on_rear * rear - on_front * front) - 1.0) * yaw_rate
        - pushing * (on_rear + on_front) * slip
        + pushing * on_front * steering
    )


@numba.njit(cache=True, error_model='numpy')
def _controlled(
    state: np.ndarray, target: np.ndarray, constants: np.ndarray, out: np.ndarray
) -> None:
    """`derivative` under servo and motor controller; target: steering angle, speed."""
    rate, servo_s, motor_s, strongest = constants[8:12]
    turn = min(max((target[0] - state[STEERING]) / servo_s, -rate), rate)
    push = min(max((target[1] - state[SPEED]) / motor_s, -strongest), strongest)
    derivative(state, turn, push, constants, out)


@numba.njit(cache=True, error_model='numpy')
def integrate(
    state: np.ndarray, targets: np.ndarray, constants: np.ndarray, step_s: float
) -> np.ndarray:
    """Classical Runge-Kutta steps under one target each.

    Parameters
    ----------
    state : (7,), overwritten by the state at the end
    targets : (steps, 2), steering angle in rad and speed in m/s

    Returns
    -------
    The states before the first step and after each, (steps + 1, 7).
    """
    steps = targets.shape[0]
    states = np.empty((steps + 1, 7))
    states[0] = state
    k = np.empty((4, 7))
    trial = np.empty(7)
    for step in range(steps):
        target = targets[step]
        _controlled(state, target, constants, k[0])
        for stage in range(1, 4):
            part = step_s if stage == 3 else 0.5 * step_s
            for i in range(7):
                trial[i] = state[i] + part * k[stage - 1, i]
            _controlled(trial, target, constants, k[stage])
        for i in range(7):
            state[i] += step_s / 6.0 * (k[0, i] + 2.0 * k[1, i] + 2.0 * k[2, i] + k[3, i])
        states[step + 1] = state
    return states
