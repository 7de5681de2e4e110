"""CT-RNN: exact with RTRL, a named approximation with RFLO."""

import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.cells.conformance import CellConformance, disturb, loss_weights, random_inputs
from rtrrl_ros.cells.contract import Cell
from rtrrl_ros.cells.reference import forward_gradients, gradient_cosine, largest_error


class TestRTRL(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('ctrnn', input_size, hidden_size, seed, dtype, gradient='rtrl')


class TestRFLO(CellConformance):
    def make(
        self, input_size: int, hidden_size: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return make_cell('ctrnn', input_size, hidden_size, seed, dtype, gradient='rflo', dt=0.5)


def pair(input_size: int = 4, hidden_size: int = 6) -> tuple[Cell, Cell]:
    """The same weights with the exact and with the approximate gradient."""
    rtrl, rflo = (
        make_cell('ctrnn', input_size, hidden_size, 0, torch.float64, gradient=gradient)
        for gradient in ('rtrl', 'rflo')
    )
    rflo.load_parameters(disturb(rtrl).named_parameters())
    return rtrl, rflo


def test_only_rtrl_claims_to_be_exact() -> None:
    rtrl, rflo = pair()
    assert rtrl.exact and not rflo.exact


def test_rflo_is_rtrl_for_one_step_and_not_after_many() -> None:
    rtrl, rflo = pair()
    inputs, dloss_dy = random_inputs(rtrl, 30), loss_weights(rtrl)

    def difference(steps: int) -> float:
        exact = forward_gradients(rtrl, inputs[:steps], dloss_dy)
        return largest_error(forward_gradients(rflo, inputs[:steps], dloss_dy), exact)[0]

    assert difference(1) < 1e-12
    assert difference(30) > 1e-2


def test_rflo_is_exact_where_no_unit_feeds_another() -> None:
    rtrl, rflo = pair()
    for cell in (rtrl, rflo):
        cell.named_parameters()['W'][:, 4:10] = 0
    inputs, dloss_dy = random_inputs(rtrl, 30), loss_weights(rtrl)
    exact = forward_gradients(rtrl, inputs, dloss_dy)
    # The recurrent columns have no effect on h yet still have a gradient of their own.
    assert largest_error(forward_gradients(rflo, inputs, dloss_dy), exact)[0] < 1e-12


def test_rflo_points_with_the_true_gradient() -> None:
    rflo = make_cell('ctrnn', 32, 32, 0, torch.float64, gradient='rflo')
    cosines = [
        gradient_cosine(rflo, random_inputs(rflo, 50, seed=seed), loss_weights(rflo, seed))['W']
        for seed in range(10)
    ]
    assert 0.7 < sum(cosines) / len(cosines) < 0.999


def test_the_cosine_of_an_exact_cell_is_one() -> None:
    rtrl, _ = pair()
    cosine = gradient_cosine(rtrl, random_inputs(rtrl, 30), loss_weights(rtrl))
    assert min(cosine.values()) > 1 - 1e-12


def test_project_keeps_tau_at_one_or_above() -> None:
    cell = make_cell('ctrnn', 2, 3, 0)
    tau = cell.named_parameters()['tau']
    tau.copy_(torch.tensor([-1.0, 0.5, 2.0]))
    cell.project()
    assert tau.tolist() == [1.0, 1.0, 2.0]
