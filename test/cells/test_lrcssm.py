"""LrcSSM against the cell contract, and against its equations written out by hand."""

import math

import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.cells.conformance import CellConformance, disturb, random_inputs
from rtrrl_ros.cells.contract import Cell


class TestLrcSSM(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('lrcssm', input_size, hidden_size, seed, dtype)


class TestLrcSSMSmallStep(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('lrcssm', input_size, hidden_size, seed, dtype, dt=0.2)


def sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))


def test_one_step_is_the_published_equation() -> None:
    cell = disturb(make_cell('lrcssm', 2, 3, seed=0, dtype=torch.float64, dt=0.5))
    x, h = [0.3, -1.2], [0.4, -0.7, 1.1]
    p = {name: tensor.tolist() for name, tensor in cell.named_parameters().items()}
    s = [sigmoid(p['sig_in'][j] * (x[j] - p['mu_in'][j])) for j in range(2)]
    expected = []
    for i in range(3):
        r = sigmoid(p['sig'][i] * (h[i] - p['mu'][i]))
        drive = sum(p['W_in'][i][j] * s[j] for j in range(2))
        pull = sum(p['H_in'][i][j] * s[j] for j in range(2))
        forget = sigmoid(p['g_l'][i] + drive + p['w'][i] * r)
        target = math.tanh(p['g_l'][i] + pull + p['k'][i] * r)
        elastance = sigmoid(p['w_e'][i] * h[i] + p['b_e'][i])
        expected.append(h[i] + 0.5 * elastance * (-forget * h[i] + p['v_l'][i] * target))
    state, _ = cell.step(*(torch.tensor(value, dtype=torch.float64) for value in (x, h)))
    assert torch.allclose(state, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)


def test_parameters_start_within_one_over_root_n() -> None:
    cell = make_cell('lrcssm', 8, 16, seed=0)
    assert cell.flat_parameters.abs().max() <= 0.25
    assert cell.flat_parameters.abs().max() > 0.24


def test_no_input_drives_the_state_beyond_its_bound() -> None:
    cell = disturb(make_cell('lrcssm', 4, 32, seed=0), scale=1.0)
    p = cell.named_parameters()
    # h' = (1 - E F) h + E v_l Z with E, F in (0, 1), |Z| < 1 and F no lower than this:
    lowest = torch.sigmoid(p['g_l'] - p['W_in'].abs().sum(1) - p['w'].abs())
    bound = p['v_l'].abs() / lowest
    state = cell.initial_state()
    for x in random_inputs(cell, 1000) * 100:
        state, _ = cell.step(x, state)
        assert (state.abs() <= bound * 1.001).all()


def test_the_trace_grows_linearly_with_the_inputs() -> None:
    cell = make_cell('lrcssm', 10, 6, seed=0)
    numbers = sum(tensor.numel() for tensor in cell.initial_trace().values())
    assert numbers == 6 * (4 * 10 + 8)
