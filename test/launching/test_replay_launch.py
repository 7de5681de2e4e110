"""launch/replay.launch.xml: everything below /replay, and nothing that could move a car."""

import itertools

import pytest

from rtrrl_ros.launching.description import describe
from rtrrl_ros.resources import find_resource


def nodes(**arguments: str) -> dict[str, list[str]]:
    """Command lines by name."""
    file = find_resource('launch', 'replay.launch.xml')
    described = describe(file, {'bag': 'b', 'model': 'm', **arguments}, {})
    return {node.label: node.command for node in described}


def remaps(command: list[str]) -> set[str]:
    return {two for one, two in itertools.pairwise(command) if one == '-r'}


@pytest.mark.parametrize('lockstep', ['true', 'false'])
@pytest.mark.parametrize('sensor', ['events', 'images', 'features'])
def test_everything_is_below_replay_and_there_is_no_gate(sensor: str, lockstep: str) -> None:
    described = nodes(sensor=sensor, lockstep=lockstep, learn='true')
    encoder = set() if sensor == 'features' else {'encoder_node'}
    assert set(described) == {'bag_player_node', 'agent_node'} | encoder
    for command in described.values():
        assert '__ns:=/replay' in remaps(command)
        # nothing absolute is left but what the player checks itself, and what is only read
        targets = {remap.partition(':=')[2] for remap in remaps(command)} - {'/replay'}
        assert all(
            not target.startswith('/') or target == '/recorded/executed' for target in targets
        )


def test_in_lockstep_features_go_through_the_player() -> None:
    assert 'features:=encoded' in remaps(nodes(lockstep='true')['encoder_node'])
    assert 'features:=features' in remaps(nodes(lockstep='false')['encoder_node'])


def test_the_player_alone() -> None:
    assert set(nodes(graph='false')) == {'bag_player_node'}
