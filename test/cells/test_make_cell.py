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


@pytest.mark.parametrize('name', ['lrcssm', 'lru', 'ctrnn'])
def test_options_rebuild_the_cell(name: str) -> None:
    cell = make_cell(name, 2, 3, seed=5)
    again = make_cell(cell.name, cell.input_size, cell.hidden_size, seed=5, **cell.options)
    assert again.options == cell.options
    assert torch.equal(again.flat_parameters, cell.flat_parameters)


@pytest.mark.parametrize(
    ('arguments', 'fix'),
    [
        ({'name': 'lstm'}, 'known: '),
        ({'hidden_size': 0}, 'hidden_size'),
        ({'input_size': 2.5}, 'input_size'),
        ({'gradient': 'rtrl'}, "no option 'gradient'"),
        ({'dt': 0.0}, r'dt = 0.0: must be a number in \(0, 1\]'),
        ({'dt': 'fast'}, 'dt = '),
        ({'name': 'ctrnn', 'gradient': 'bptt'}, 'rtrl, rflo'),
        ({'name': 'ctrnn', 'dt': 1.5}, 'dt = 1.5'),
        ({'name': 'lru', 'r_max': 1.5}, 'r_max = 1.5'),
        ({'name': 'lru', 'r_min': 0.9, 'r_max': 0.5}, 'r_min = 0.9'),
        ({'name': 'lru', 'max_phase': float('nan')}, 'max_phase'),
        ({'name': 'lru', 'output_size': -1}, 'output_size'),
    ],
)
def test_a_wrong_request_names_the_fix(arguments: dict, fix: str) -> None:
    good = {'name': 'lrcssm', 'input_size': 2, 'hidden_size': 3, 'seed': 0}
    with pytest.raises(UserError, match=fix):
        make_cell(**(good | arguments))
