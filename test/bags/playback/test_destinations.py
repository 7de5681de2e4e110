"""A replay publishes below /replay and /recorded only, whatever a bag holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.bags.playback.destinations import (
    CLOCK,
    CLOCK_TYPE,
    HEARD,
    check_permitted,
    destination,
    is_permitted,
)
from rtrrl_ros.errors import UserError

DRIVE = 'ackermann_msgs/msg/AckermannDriveStamped'
COMMANDS = {
    '/drive': DRIVE, '/drive_proposal': DRIVE, '/teleop': DRIVE, '/ackermann_cmd': DRIVE,
    '/executed': 'rtrrl_msgs/msg/Executed', '/joy': 'sensor_msgs/msg/Joy',
    '/commands/motor/speed': 'std_msgs/msg/Float64', '/cmd_vel': 'geometry_msgs/msg/Twist',
}  # fmt: skip

names = st.one_of(
    st.sampled_from([*COMMANDS, *HEARD, CLOCK, 'drive', '/replay/drive', '//drive', '/clock/x']),
    st.from_regex(r'/?[a-z_]{1,8}(/[a-z_0-9]{1,8}){0,3}', fullmatch=True),
)
types = st.sampled_from([*COMMANDS.values(), *HEARD.values(), CLOCK_TYPE])


@given(names, types, st.booleans())
def test_every_topic_of_any_bag_is_taken_where_nothing_moves(
    name: str, type_name: str, features: bool
) -> None:
    there = destination(name, type_name, features)
    assert is_permitted(there, type_name)
    assert there == CLOCK or there.startswith(('/replay/', '/recorded/'))
    if type_name in COMMANDS.values():
        assert there.startswith('/recorded/')


@pytest.mark.parametrize(('name', 'type_name'), COMMANDS.items())
def test_commands_are_only_shown(name: str, type_name: str) -> None:
    assert destination(name, type_name) == f'/recorded{name}'
    for place in (name, f'/replay{name}', f'/car{name}', '/recorded', f'/recorded_{name[1:]}'):
        assert not is_permitted(place, type_name)
    assert is_permitted(f'/recorded{name}', type_name)


def test_a_command_under_the_name_of_a_sensor_is_not_heard() -> None:
    assert destination('/odom', DRIVE) == '/recorded/odom'
    assert not is_permitted('/replay/odom', DRIVE)
    assert not is_permitted(CLOCK, DRIVE)


def test_the_graph_hears_recorded_features_only_without_an_encoder() -> None:
    features = HEARD['/features']
    assert destination('/features', features) == '/recorded/features'
    assert destination('/features', features, features=True) == '/replay/features'


def test_a_refusal_names_topic_and_remedy() -> None:
    with pytest.raises(UserError, match=r'never publishes .* on /drive: do not remap'):
        check_permitted('/drive', DRIVE)
