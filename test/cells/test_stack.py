"""A stack of layers: exact where it says so, and how far off it is where it does not."""

import pytest
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.cells.conformance import CellConformance, disturb, loss_weights, random_inputs
from rtrrl_ros.cells.contract import Cell
from rtrrl_ros.cells.reference import (
    autograd_gradients,
    forward_gradients,
    gradient_cosine,
    largest_error,
)
from rtrrl_ros.errors import UserError


class TestTwoLrcSSM(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('stack', input_size, hidden_size, seed, dtype)


class TestThreeLRU(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('stack', input_size, hidden_size, seed, dtype, layer='lru', layers=3)


class TestOneLrcSSM(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('stack', input_size, hidden_size, seed, dtype, layers=1)


def test_only_one_layer_claims_to_be_exact() -> None:
    assert make_cell('stack', 3, 4, 0, layers=1).exact
    assert not make_cell('stack', 3, 4, 0, layers=2).exact


@pytest.mark.parametrize('layer', ['lrcssm', 'lru'])
def test_the_top_layer_is_exact_after_many_steps(layer: str) -> None:
    cell = disturb(make_cell('stack', 4, 6, 0, torch.float64, layer=layer, layers=2), scale=0.1)
    inputs, dloss_dy = random_inputs(cell, 50), loss_weights(cell)
    got, expected = (f(cell, inputs, dloss_dy) for f in (forward_gradients, autograd_gradients))
    top = {name: value for name, value in expected.items() if name.startswith('1.')}
    assert largest_error(got, top)[0] < 1e-9
    assert largest_error(got, expected)[0] > 1e-3  # the layer below is not


@pytest.mark.parametrize(('layer', 'least'), [('lrcssm', 0.99), ('lru', 0.85), ('ctrnn', 0.3)])
def test_the_gradient_points_the_way_of_the_true_one(layer: str, least: float) -> None:
    """The cosines in docs/learning.md; `least` is what they must not fall below."""
    for seed in range(5):
        cell = disturb(make_cell('stack', 32, 32, seed, torch.float64, layer=layer, layers=2))
        inputs = random_inputs(cell, 50, seed=seed)
        cosine = gradient_cosine(cell, inputs, loss_weights(cell, seed))
        assert least < cosine['all'] < 1 - 1e-6


@pytest.mark.parametrize('options', [{'layers': 0}, {'layers': 2.0}, {'layer': 'gru'}])
def test_bad_options_are_refused(options: dict) -> None:
    with pytest.raises(UserError, match='must be'):
        make_cell('stack', 3, 4, 0, **options)
