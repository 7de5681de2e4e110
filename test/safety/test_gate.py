"""What the command gate lets through, case by case."""

import math

import numpy as np
import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.safety.command import Command
from rtrrl_ros.safety.gate import Gate, GateLimits, Mode

PERIOD_NS = 50_000_000
PERIOD_S = 0.05


def command(step: int, steering=0.1, speed=1.0, acceleration=0.0) -> Command:
    return Command(step * PERIOD_NS, steering, speed, acceleration)


def is_zero(output) -> bool:
    c = output.command
    return c.steering_angle_rad == 0.0 and c.speed_m_s == 0.0 and c.acceleration_m_s2 == 0.0


def test_a_good_proposal_passes_unchanged():
    output = Gate(GateLimits()).propose(command(1), 10.0)
    assert output.command == command(1)
    assert (output.mode, output.reason) == (Mode.PASSED, '')


def test_out_of_range_is_clamped_and_named():
    gate = Gate(GateLimits(max_steering_angle_rad=0.3, max_speed_m_s=1.5, max_brake_m_s2=2.0))
    output = gate.propose(command(1, -9.0, 9.0, -9.0), 10.0)
    assert output.command == Command(
        PERIOD_NS, -np.nextafter(np.float32(0.3), np.float32(0)), 1.5, -2.0
    )
    assert output.mode is Mode.LIMITED
    for word in ('steering_angle_rad', 'speed_m_s', 'acceleration_m_s2'):
        assert word in output.reason


def test_reverse_is_not_passed():
    assert Gate(GateLimits()).propose(command(1, speed=-1.0), 0.0).command.speed_m_s == 0.0


@pytest.mark.parametrize('limit', [0.1, 0.3, 0.4, 1.1, 1.6])
def test_the_limit_holds_for_the_float32_that_is_sent(limit):
    gate = Gate(GateLimits(max_steering_angle_rad=limit))
    sent = gate.propose(command(1, steering=limit), 0.0).command.steering_angle_rad
    assert sent <= limit
    assert sent == pytest.approx(limit, rel=1e-6)
    assert float(np.float32(sent)) == sent


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize('field', range(3))
def test_not_finite_stops(bad, field):
    gate = Gate(GateLimits())
    gate.propose(command(1), 0.0)
    values = [0.1, 1.0, 0.0]
    values[field] = bad
    output = gate.propose(Command(2 * PERIOD_NS, *values), PERIOD_S)
    assert is_zero(output)
    assert (output.mode, output.reason) == (Mode.STOPPED, 'not finite')
    assert output.command.stamp_ns == 2 * PERIOD_NS


def test_rate_follows_the_stamps():
    gate = Gate(GateLimits(max_steering_rate_rad_s=1.0, max_age_s=0.1))
    angles = [
        gate.propose(command(k, steering=0.4), 0.0).command.steering_angle_rad for k in (1, 2, 3)
    ]
    assert angles == pytest.approx([0.1, 0.15, 0.2], abs=1e-6)
    # a long gap earns no more than max_age_s of change
    assert gate.propose(
        command(1000, steering=-0.4), 0.0
    ).command.steering_angle_rad == pytest.approx(0.1)


def test_same_stamp_same_answer():
    gate = Gate(GateLimits(max_steering_rate_rad_s=1.0))
    first = gate.propose(command(1, steering=0.4), 0.0)
    assert gate.propose(command(1, steering=-0.4), 0.01) == first
    assert gate.propose(command(1, steering=math.nan), 0.02) == first


def test_a_repeated_stamp_does_not_keep_a_car_going():
    gate = Gate(GateLimits(require_deadman=True, max_age_s=0.1))
    gate.deadman(True, 0.0)
    assert gate.propose(command(1), 0.0).mode is Mode.PASSED
    assert gate.propose(command(1), 0.09).mode is Mode.PASSED
    assert is_zero(gate.propose(command(1), 0.11))
    gate.deadman(True, 0.3)
    gate.propose(command(2), 0.3)
    assert is_zero(gate.deadman(False, 0.31))
    gate.deadman(True, 0.32)
    assert is_zero(gate.propose(command(2), 0.33))


def test_out_of_order_stops_and_does_not_hold_up_the_next():
    gate = Gate(GateLimits())
    gate.propose(command(5), 0.0)
    late = gate.propose(command(4), 0.01)
    assert is_zero(late)
    assert (late.mode, late.reason) == (Mode.STOPPED, 'out of order')
    assert gate.propose(command(6), 0.02).mode is Mode.PASSED


def test_stale_by_the_stamp_stops():
    gate = Gate(GateLimits(max_age_s=0.1))
    assert gate.propose(command(1), 0.0, clock_ns=PERIOD_NS + 90_000_000).mode is Mode.PASSED
    output = gate.propose(command(2), 0.0, clock_ns=2 * PERIOD_NS + 110_000_000)
    assert is_zero(output) and output.reason == 'stale'


def test_a_stamp_from_the_future_stops_but_does_not_lock_the_gate():
    gate = Gate(GateLimits())
    assert is_zero(gate.propose(command(10_000), 0.0, clock_ns=PERIOD_NS))
    assert gate.propose(command(2), 0.0, clock_ns=2 * PERIOD_NS).mode is Mode.PASSED


@pytest.mark.parametrize(
    ('stop', 'reason'), [(command(4), 'out of order'), (command(99), 'stamped in the future')]
)
def test_what_was_answered_before_a_stop_is_not_driven_after_it(stop, reason):
    gate = Gate(GateLimits())
    clock_ns = 5 * PERIOD_NS
    assert gate.propose(command(5), 0.0, clock_ns).mode is Mode.PASSED
    assert gate.propose(stop, 0.01, clock_ns).reason == reason
    again = gate.propose(command(5), 0.02, clock_ns)
    assert is_zero(again) and again.mode is gate.mode is Mode.STOPPED


def test_a_clock_that_was_set_back_does_not_lock_the_gate():
    gate = Gate(GateLimits(max_speed_rate_m_s2=3.0))
    hour = 72_000
    gate.propose(command(hour), 0.0, clock_ns=hour * PERIOD_NS)
    output = gate.propose(command(2), 0.05, clock_ns=2 * PERIOD_NS)
    assert output.mode in (Mode.PASSED, Mode.LIMITED)
    assert output.command.stamp_ns == 2 * PERIOD_NS


def test_watchdog_stops_after_silence_and_keeps_saying_so():
    gate = Gate(GateLimits(max_age_s=0.1))
    assert is_zero(gate.tick(0.0))  # nothing was ever proposed
    gate.propose(command(1), 1.0)
    assert gate.tick(1.09) is None
    for now_s in (1.11, 1.2, 5.0):
        output = gate.tick(now_s)
        assert is_zero(output)
        assert (output.mode, output.reason) == (Mode.STOPPED, 'no proposals')
        assert output.command.stamp_ns == PERIOD_NS


@pytest.mark.parametrize('now_s', [math.nan, -1.0])
def test_a_senseless_clock_stops(now_s):
    gate = Gate(GateLimits())
    gate.propose(command(1), 1.0)
    assert is_zero(gate.tick(now_s))


def test_after_a_stop_rates_count_from_zero_and_the_old_stamp_is_dead():
    gate = Gate(GateLimits(max_speed_rate_m_s2=10.0, max_age_s=0.1))
    for k in range(1, 5):
        gate.propose(command(k, speed=2.0), k * PERIOD_S)
    gate.tick(10.0)
    again = gate.propose(command(4, speed=2.0), 10.01)
    assert is_zero(again) and again.mode is Mode.STOPPED
    assert gate.propose(command(5, speed=2.0), 10.02).command.speed_m_s == pytest.approx(0.5)


def test_lockstep_a_stop_in_between_changes_nothing_that_is_driven():
    limits = GateLimits(max_speed_rate_m_s2=10.0, max_steering_rate_rad_s=1.0, lockstep=True)
    smooth, hiccup = Gate(limits), Gate(limits)
    driven = []
    for k in range(1, 20):
        proposal = command(k, 0.4 * math.sin(k / 2), 1.0)
        driven.append(smooth.propose(proposal, 0.0))
        assert hiccup.propose(proposal, float(k)) == driven[-1]
        stop = hiccup.tick(k + 0.9)
        assert is_zero(stop) and stop.mode is Mode.STOPPED
        assert stop.command.stamp_ns == 0  # no world takes it for the answer it waits for
        assert hiccup.propose(proposal, k + 0.95) == driven[-1]
    assert len({output.mode for output in driven}) == 2


def test_deadman_must_be_held():
    gate = Gate(GateLimits(require_deadman=True, deadman_timeout_s=0.3))
    assert gate.propose(command(1), 0.0).mode is Mode.STOPPED
    gate.deadman(True, 0.05)
    assert gate.propose(command(2), 0.05).mode is Mode.PASSED
    released = gate.deadman(False, 0.06)
    assert is_zero(released)
    assert gate.propose(command(3), 0.1).reason == 'deadman not held'


def test_a_silent_joystick_is_a_released_deadman():
    gate = Gate(GateLimits(require_deadman=True, deadman_timeout_s=0.31))
    gate.deadman(True, 0.0)
    for k in range(1, 7):
        assert gate.propose(command(k), k * PERIOD_S).mode is Mode.PASSED
    assert gate.propose(command(7), 0.32).mode is Mode.STOPPED
    assert is_zero(gate.tick(0.33))


def test_a_person_overrules_the_proposals_and_stops_the_car_by_letting_go():
    gate = Gate(GateLimits(takeover_timeout_s=0.2))
    gate.propose(command(1, steering=0.3), 0.0)
    human = gate.takeover(Command(7, -0.2, 0.5, 0.0), 0.01)
    assert human.mode is Mode.TAKEOVER
    assert human.command.steering_angle_rad == pytest.approx(-0.2)
    output = gate.propose(command(2, steering=0.3), 0.05)
    assert output.mode is Mode.TAKEOVER
    assert output.command == Command(2 * PERIOD_NS, -0.2, 0.5, 0.0)
    assert gate.tick(0.2) is None
    assert is_zero(gate.tick(0.22))
    assert gate.mode is Mode.STOPPED
    assert gate.propose(command(3, steering=0.3), 0.23).mode is Mode.PASSED


def test_what_a_person_commanded_is_not_driven_after_they_let_go():
    gate = Gate(GateLimits(takeover_timeout_s=0.2))
    gate.takeover(Command(7, -0.2, 0.5, 0.0), 0.0)
    assert gate.propose(command(2), 0.19).mode is Mode.TAKEOVER
    assert is_zero(gate.propose(command(2), 0.21))


def test_proposals_do_not_slow_a_person_down():
    def speeds(with_proposals: bool) -> list[float]:
        gate, found = Gate(GateLimits(max_speed_rate_m_s2=3.0, max_age_s=0.05)), []
        for step in range(40):
            now_s = 0.01 * step
            if step % 5 == 0:
                wanted = Command(0, 0.0, 1.6 if step < 30 else 0.0, 0.0)
                found.append(gate.takeover(wanted, now_s).command.speed_m_s)
            elif with_proposals:
                gate.propose(Command(step + 1, 0.3, 1.0, 0.0), now_s)
        return found

    assert speeds(True) == speeds(False)
    assert max(speeds(False)) == pytest.approx(0.75)


def test_a_person_is_held_to_the_limits():
    gate = Gate(GateLimits(max_steering_angle_rad=0.3, max_speed_m_s=1.0))
    output = gate.takeover(Command(0, 9.0, math.nan, 0.0), 0.0)
    assert is_zero(output) and output.mode is Mode.TAKEOVER
    output = gate.takeover(Command(0, 9.0, 9.0, 0.0), 0.01)
    assert output.command.steering_angle_rad <= 0.3
    assert output.command.speed_m_s == 1.0


def test_takeover_in_lockstep_answers_the_next_proposal():
    gate = Gate(GateLimits(lockstep=True))
    assert gate.takeover(Command(0, -0.2, 0.5, 0.0), 0.0) is None
    output = gate.propose(command(1, steering=0.3), 0.1)
    assert output.mode is Mode.TAKEOVER
    assert output.command == Command(PERIOD_NS, -0.2, 0.5, 0.0)


def test_stop_and_reset():
    gate = Gate(GateLimits())
    gate.propose(command(9), 0.0)
    output = gate.stop('deactivated')
    assert is_zero(output) and output.reason == 'deactivated'
    gate.reset()
    assert gate.mode is Mode.STOPPED
    assert gate.propose(command(1), 0.0).mode is Mode.PASSED  # a new world may start at 0 again


@pytest.mark.parametrize(
    'bad', [{'max_age_s': 0.0}, {'max_age_s': 0.2}, {'max_speed_m_s': -1.0}, {'lockstep': 1}]
)
def test_bad_limits_are_refused_by_name(bad):
    with pytest.raises(UserError, match=next(iter(bad))):
        GateLimits(**bad)
