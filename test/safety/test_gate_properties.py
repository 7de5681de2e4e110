"""Whatever is proposed, pressed and waited, what leaves the gate is safe."""

import dataclasses
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.safety.command import Command
from rtrrl_ros.safety.gate import Gate, GateLimits, Mode

positive = st.floats(0.01, 1.5)
limits = st.builds(
    GateLimits,
    max_steering_angle_rad=positive,
    max_speed_m_s=positive,
    max_acceleration_m_s2=positive,
    max_brake_m_s2=positive,
    max_steering_rate_rad_s=positive | st.just(0.0),
    max_speed_rate_m_s2=positive | st.just(0.0),
    max_jerk_m_s3=positive | st.just(0.0),
    max_age_s=st.floats(0.01, 0.17),
    require_deadman=st.booleans(),
    lockstep=st.booleans(),
)
value = st.floats(width=32) | st.floats(-2.0, 2.0, width=32)
stamp = st.integers(0, 40).map(lambda k: k * 20_000_000)
commands = st.builds(Command, stamp, value, value, value)
wait = st.floats(0.0, 0.3)
events = st.lists(
    st.tuples(st.just('propose'), commands, wait)
    | st.tuples(st.just('human'), commands, wait)
    | st.tuples(st.just('deadman'), st.booleans(), wait)
    | st.tuples(st.just('tick'), st.none(), wait),
    max_size=40,
)


def play(gate: Gate, events):
    """Yield (time, kind, payload, output) of each event; every proposal has some output."""
    now_s = 100.0
    for kind, payload, wait_s in events:
        now_s += wait_s
        if kind == 'propose':
            output = gate.propose(payload, now_s)
            assert output is not None
        elif kind == 'human':
            output = gate.takeover(payload, now_s)
        elif kind == 'deadman':
            output = gate.deadman(payload, now_s)
        else:
            output = gate.tick(now_s)
        yield now_s, kind, payload, output


def values(command: Command) -> tuple[float, float, float]:
    return (command.steering_angle_rad, command.speed_m_s, command.acceleration_m_s2)


@given(limits, events)
@settings(max_examples=150, deadline=None)
def test_finite_float32_and_within_range(limits, events):
    for _, _, _, output in play(Gate(limits), events):
        if output is None:
            continue
        steering, speed, acceleration = values(output.command)
        assert all(math.isfinite(v) and float(np.float32(v)) == v for v in values(output.command))
        assert abs(steering) <= limits.max_steering_angle_rad
        assert 0.0 <= speed <= limits.max_speed_m_s
        assert -limits.max_brake_m_s2 <= acceleration <= limits.max_acceleration_m_s2
        assert output.mode is not Mode.STOPPED or values(output.command) == (0.0, 0.0, 0.0)


@given(limits, events)
@settings(max_examples=150, deadline=None)
def test_nothing_but_a_stop_changes_faster_than_the_rates(limits, events):
    rates = (limits.max_steering_rate_rad_s, limits.max_speed_rate_m_s2, limits.max_jerk_m_s3)
    before, answered_ns = (0.0, 0.0, 0.0), None
    for _, kind, payload, output in play(Gate(limits), events):
        if output is None or (
            limits.lockstep and output.command.stamp_ns == 0 and kind != 'propose'
        ):
            continue  # in lock-step such a stop is never driven
        if limits.lockstep and answered_ns is not None and output.command.stamp_ns <= answered_ns:
            continue  # nor is a second answer
        elapsed_s = limits.max_age_s
        if kind == 'propose' and answered_ns is not None:
            elapsed_s = min(max(payload.stamp_ns - answered_ns, 0) * 1e-9, elapsed_s)
        if output.mode is not Mode.STOPPED:
            for new, old, rate in zip(values(output.command), before, rates, strict=True):
                assert rate == 0.0 or abs(new - old) <= rate * elapsed_s + 1e-12
        before = values(output.command)
        if kind == 'propose' and (answered_ns is None or payload.stamp_ns > answered_ns):
            answered_ns = payload.stamp_ns


@given(limits, events)
@settings(max_examples=150, deadline=None)
def test_the_car_moves_only_while_someone_lately_asked_for_it(limits, events):
    """After any history: once nobody spoke for the longest time-out, a tick is a stop."""
    gate = Gate(limits)
    now_s = [100.0, *(when_s for when_s, _, _, _ in play(gate, events))][-1]
    output = gate.tick(now_s + max(limits.max_age_s, limits.takeover_timeout_s) + 1e-3)
    assert output is not None and output.mode is Mode.STOPPED
    assert values(output.command) == (0.0, 0.0, 0.0)


@given(limits, events)
@settings(max_examples=100, deadline=None)
def test_no_proposal_moves_a_car_without_a_live_deadman(limits, events):
    limits = dataclasses.replace(limits, require_deadman=True, lockstep=False)
    pressed_s = None
    for now_s, kind, payload, output in play(Gate(limits), events):
        if kind == 'deadman':
            pressed_s = now_s if payload else None
        live = pressed_s is not None and now_s - pressed_s <= limits.deadman_timeout_s
        if kind == 'propose' and not live:
            assert output.mode in (Mode.STOPPED, Mode.TAKEOVER)


@given(limits, st.lists(commands, max_size=30), st.lists(wait, min_size=90, max_size=90))
@settings(max_examples=100, deadline=None)
def test_lockstep_depends_on_the_proposals_alone(limits, proposals, waits):
    """Ticks, repeats and the speed of the machine leave the answers as they are."""
    limits = dataclasses.replace(limits, lockstep=True, require_deadman=False)
    plain, disturbed = Gate(limits), Gate(limits)
    now_s = 0.0
    for index, proposal in enumerate(proposals):
        now_s += waits[3 * index]
        answer = disturbed.propose(proposal, now_s)
        assert answer == plain.propose(proposal, 0.0)
        disturbed.tick(now_s + waits[3 * index + 1])
        if answer.reason != 'out of order':
            assert disturbed.propose(proposal, now_s + waits[3 * index + 2]) == answer
