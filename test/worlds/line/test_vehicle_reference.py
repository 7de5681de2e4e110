"""The compiled right-hand side against the package it is taken from, commonroad-vehicle-models."""

import dataclasses

import numpy as np
import pytest
from vehiclemodels.vehicle_dynamics_st import vehicle_dynamics_st
from vehiclemodels.vehicle_parameters import VehicleParameters, setup_vehicle_parameters

from rtrrl_ros.worlds.line.vehicle import SPEED, VehicleConfig, derivative, integrate

#: the reference has one stiffness for both axles
CONFIG = VehicleConfig(rear_stiffness_1_rad=4.718)


def parameters(config: VehicleConfig) -> VehicleParameters:
    """Our parameters as the reference names them."""
    theirs = VehicleParameters()
    theirs.a, theirs.b, theirs.h_s = config.front_axle_m, config.rear_axle_m, config.mass_height_m
    theirs.m, theirs.I_z = config.mass_kg, config.yaw_inertia_kg_m2
    theirs.tire.p_dy1 = config.friction
    theirs.tire.p_ky1 = -config.front_stiffness_1_rad * config.friction
    theirs.steering.min, theirs.steering.max = -1.0, 1.0
    theirs.steering.v_min, theirs.steering.v_max = -100.0, 100.0
    theirs.longitudinal.v_min, theirs.longitudinal.v_max = -50.0, 50.0
    theirs.longitudinal.v_switch, theirs.longitudinal.a_max = 50.0, 100.0
    return theirs


def ours(state, steering_rate, acceleration, config):
    out = np.empty(7)
    derivative(np.asarray(state), steering_rate, acceleration, config.constants(), out)
    return out


def random_states(count, low, high, seed=0):
    random = np.random.default_rng(seed)
    scale = np.array([5.0, 5.0, 0.4, 0.0, 3.0, 2.0, 0.2])
    states = random.uniform(-1.0, 1.0, (count, 7)) * scale
    states[:, SPEED] = random.uniform(low, high, count)
    return states, random.uniform(-3.0, 3.0, (count, 2))


@pytest.mark.parametrize(('low', 'high'), [(0.0, 0.0999), (0.1, 0.5), (0.5, 8.0)])
def test_derivatives_agree(low, high):
    states, inputs = random_states(200, low, high)
    for state, (rate, acceleration) in zip(states, inputs, strict=True):
        expected = vehicle_dynamics_st(list(state), [rate, acceleration], parameters(CONFIG))
        found = ours(state, rate, acceleration, CONFIG)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize('vehicle', [1, 2, 3])
def test_derivatives_agree_for_the_cars_of_the_package(vehicle):
    theirs = setup_vehicle_parameters(vehicle)
    if theirs.I_z is None:
        theirs.I_z = 2000.0
    stiffness = -theirs.tire.p_ky1 / theirs.tire.p_dy1
    config = VehicleConfig()
    values = {
        'mass_kg': theirs.m, 'yaw_inertia_kg_m2': theirs.I_z, 'front_axle_m': theirs.a,
        'rear_axle_m': theirs.b, 'mass_height_m': theirs.h_s, 'friction': theirs.tire.p_dy1,
        'front_stiffness_1_rad': stiffness, 'rear_stiffness_1_rad': stiffness,
    }  # fmt: skip
    for name, value in values.items():  # beyond the ranges of a model car
        object.__setattr__(config, name, value)
    states, inputs = random_states(50, 0.5, 20.0)
    for state, (rate, acceleration) in zip(states, 0.1 * inputs, strict=True):
        expected = vehicle_dynamics_st(list(state), [rate, acceleration], theirs)
        assert ours(state, rate, acceleration, config) == pytest.approx(
            expected, rel=1e-8, abs=1e-8
        )


def test_a_drive_agrees():
    """A slalom: our integrator and servo, and the reference in small steps."""
    config = dataclasses.replace(CONFIG, command_latency_s=0.0)
    theirs, constants, step = parameters(config), config.constants(), 0.001
    targets = np.array([[0.3 * np.sin(0.004 * k), 1.6] for k in range(1500)])
    state = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    found = integrate(state.copy(), targets, constants, step)[-1]
    for target in targets:
        for _ in range(4):
            rate = np.clip((target[0] - state[2]) / config.servo_time_constant_s, -3.2, 3.2)
            push = np.clip((target[1] - state[3]) / config.speed_time_constant_s, -9.51, 9.51)
            change = np.array(vehicle_dynamics_st(list(state), [rate, push], theirs))
            state = state + 0.25 * step * change
    assert found == pytest.approx(state, abs=3e-3)
