"""LRU against the cell contract and against its equations in Python's complex numbers."""

import cmath
import math

import pytest
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.cells.conformance import CellConformance, disturb
from rtrrl_ros.cells.contract import Cell


class TestLRU(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('lru', input_size, hidden_size, seed, dtype)


class TestLRUNarrowOutput(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('lru', input_size, hidden_size, seed, dtype, output_size=2)


def test_two_steps_are_the_published_equations() -> None:
    cell = disturb(make_cell('lru', 2, 3, seed=0, dtype=torch.float64, output_size=1))
    p = {name: tensor.tolist() for name, tensor in cell.named_parameters().items()}
    inputs, state, h = [[0.3, -1.2], [0.8, 0.1]], cell.initial_state(), [0j, 0j, 0j]
    for x in inputs:
        state, _ = cell.step(torch.tensor(x, dtype=torch.float64), state)
        for i in range(3):
            lam = cmath.exp(complex(-math.exp(p['nu'][i]), math.exp(p['theta'][i])))
            drive = sum(complex(p['B_re'][i][j], p['B_im'][i][j]) * x[j] for j in range(2))
            h[i] = lam * h[i] + math.exp(p['g'][i]) * drive
    read = sum(complex(p['C_re'][0][i], p['C_im'][0][i]) * h[i] for i in range(3)).real
    direct = sum(p['D'][0][j] * inputs[-1][j] for j in range(2))
    assert cell.output(state).item() == pytest.approx(read + direct, abs=1e-12)


def test_eigenvalues_start_on_the_asked_ring_and_the_state_has_unit_gain() -> None:
    cell = make_cell('lru', 8, 500, seed=0, r_min=0.6, r_max=0.9, max_phase=0.5)
    p = cell.named_parameters()
    radius = torch.exp(-torch.exp(p['nu']))
    assert 0.6 <= radius.min() < 0.63 and 0.88 < radius.max() <= 0.9
    assert 0 < torch.exp(p['theta']).min() and torch.exp(p['theta']).max() <= 0.5
    assert torch.allclose(torch.exp(p['g']), torch.sqrt(1 - radius**2), atol=1e-5)
