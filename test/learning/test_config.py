"""Bad settings are refused when constructed, in one line that names what is accepted."""

import math

import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.parameters import from_mapping


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('gamma', 1.2), ('gamma', 1.0), ('gamma', -0.1), ('gamma', math.nan), ('gamma', '0.9'),
        ('actor_learning_rate', -1e-4), ('critic_learning_rate', math.inf),
        ('lambda_actor', 1.01), ('exploration_std', 0.0), ('optimizer', 'rmsprop'),
        ('warmup_laps', 1.5), ('warmup_laps', True), ('guard', 1), ('td_error_clip', 0.0),
    ],
)  # fmt: skip
def test_a_bad_value_is_one_line_with_its_name(name, value) -> None:
    with pytest.raises(UserError) as caught:
        LearnerConfig(**{name: value})
    assert name in str(caught.value)
    assert '\n' not in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r'unknown parameter .gama.*gamma'):
        from_mapping(LearnerConfig, {'gama': 0.9})


def test_an_integer_is_accepted_for_a_float() -> None:
    assert LearnerConfig(lambda_actor=1).lambda_actor == 1.0
