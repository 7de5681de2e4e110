"""`make_cell`: what a user may ask for, and what it says otherwise."""

import pytest
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.errors import UserError


def test_both_precisions_start_from_the_same_numbers() -> None:
    single = make_cell('lrcssm', input_size=8, hidden_size=16, seed=0)
    double = make_cell('lrcssm', input_size=8, hidden_size=16, seed=0, dtype=torch.float64)
    assert single.dtype == torch.float32
    assert torch.equal(single.flat_parameters, double.flat_parameters.float())


@pytest.mark.parametrize(
    ('arguments', 'fix'),
    [
        ({'name': 'lstm'}, 'known: '),
        ({'hidden_size': 0}, 'hidden_size'),
        ({'input_size': 2.5}, 'input_size'),
        ({'gradient': 'bptt'}, "no option 'gradient'"),
    ],
)
def test_a_wrong_request_names_the_fix(arguments: dict, fix: str) -> None:
    good = {'name': 'lrcssm', 'input_size': 2, 'hidden_size': 3, 'seed': 0}
    with pytest.raises(UserError, match=fix):
        make_cell(**(good | arguments))
