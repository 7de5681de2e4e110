"""The cell contract as a reusable test: inherit `CellConformance`, say how to make your cell.

    class TestMyCell(CellConformance):
        def make(self, input_size, hidden_size, seed=0, dtype=torch.float64):
            return MyCell(input_size, hidden_size, seed, dtype)

A cell with `exact = True` must match automatic differentiation through its whole past; any other
cell must match it for one step from the initial state.
"""

import copy

import torch
from torch import Tensor

from .contract import Cell, Trace
from .reference import autograd_gradients, forward_gradients, largest_error


def disturb(cell: Cell, seed: int = 1, scale: float = 0.3) -> Cell:
    """Move every parameter off its initial value, so that no term of a gradient hides in a zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in cell.named_parameters().values():
            noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
            tensor += (scale * noise).to(tensor.dtype)
    cell.project()
    return cell


def random_inputs(cell: Cell, *shape: int, seed: int = 2) -> Tensor:
    """Standard normal inputs of shape (*shape, input_size)."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn((*shape, cell.input_size), generator=generator, dtype=torch.float64)
    return drawn.to(cell.dtype)


def loss_weights(cell: Cell, seed: int = 3) -> Tensor:
    """The cotangent dloss/dy of the test loss: every unit counts, each differently."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(cell.output_size, generator=generator, dtype=torch.float64).to(cell.dtype)


def _same(left: Trace, right: Trace) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


class CellConformance:
    """Tests that hold for every cell; override `make`."""

    sizes = ((1, 1), (3, 5), (8, 16), (5, 2))
    steps = 50

    def make(
        self,
        input_size: int,
        hidden_size: int,
        seed: int = 0,
        dtype: torch.dtype = torch.float64,
    ) -> Cell:
        raise NotImplementedError

    def check_gradients(self, cell: Cell, inputs: Tensor, tolerance: float) -> None:
        dloss_dy = loss_weights(cell)
        got = forward_gradients(cell, inputs, dloss_dy)
        error, where = largest_error(got, autograd_gradients(cell, inputs, dloss_dy))
        assert error <= tolerance, f'gradient of {where} is off by {error:.2e} ({cell.name})'

    def test_gradients_are_those_of_automatic_differentiation(self) -> None:
        for input_size, hidden_size in self.sizes:
            cell = disturb(self.make(input_size, hidden_size))
            steps = self.steps if cell.exact else 1
            self.check_gradients(cell, random_inputs(cell, steps), 1e-9)

    def test_gradients_are_right_after_every_one_of_the_first_steps(self) -> None:
        cell = disturb(self.make(3, 4))
        inputs = random_inputs(cell, 6)
        for steps in range(1, 7 if cell.exact else 2):
            self.check_gradients(cell, inputs[:steps], 1e-9)

    def test_a_reset_forgets_the_past(self) -> None:
        cell = disturb(self.make(3, 5))
        before, after = random_inputs(cell, 2, 20)
        dloss_dy = loss_weights(cell)
        fresh = forward_gradients(cell, after, dloss_dy)
        forward_gradients(cell, before, dloss_dy)
        again = forward_gradients(cell, after, dloss_dy)
        assert _same(fresh, again)
        if cell.exact:
            self.check_gradients(cell, after, 1e-9)

    def test_float32_gradients_are_close(self) -> None:
        for input_size, hidden_size in self.sizes:
            cell = disturb(self.make(input_size, hidden_size, dtype=torch.float32))
            steps = self.steps if cell.exact else 1
            self.check_gradients(cell, random_inputs(cell, steps), 1e-4)

    def test_the_sequence_starts_from_zeros(self) -> None:
        cell = self.make(3, 5)
        state = cell.initial_state()
        assert state.shape == (cell.state_size,) and state.dtype == cell.dtype
        assert not state.any()
        assert all(not tensor.any() for tensor in cell.initial_trace().values())

    def test_step_changes_neither_state_nor_trace(self) -> None:
        cell = disturb(self.make(3, 5))
        state, trace = cell.initial_state(), cell.initial_trace()
        for x in random_inputs(cell, 3):
            x_before, state_before, trace_before = x.clone(), state.clone(), copy.deepcopy(trace)
            parameters = copy.deepcopy(cell.named_parameters())
            new_state, new_trace = cell.step(x, state, trace)
            cell.gradients(new_trace, loss_weights(cell))
            assert torch.equal(x, x_before) and torch.equal(state, state_before)
            assert _same(trace, trace_before)
            assert _same(cell.named_parameters(), parameters)
            state, trace = new_state, new_trace

    def test_the_trace_does_not_change_the_forward_pass(self) -> None:
        cell = disturb(self.make(3, 5))
        plain = traced = cell.initial_state()
        trace = cell.initial_trace()
        for x in random_inputs(cell, 10):
            plain, nothing = cell.step(x, plain)
            traced, trace = cell.step(x, traced, trace)
            assert nothing is None and not traced.requires_grad
            torch.testing.assert_close(traced, plain, rtol=0, atol=1e-12)

    def test_gradients_have_the_names_and_shapes_of_the_parameters(self) -> None:
        cell = self.make(3, 5)
        parameters = cell.named_parameters()
        grads = forward_gradients(cell, random_inputs(cell, 2), loss_weights(cell))
        assert list(grads) == list(parameters)
        for name, grad in grads.items():
            assert grad.shape == parameters[name].shape and grad.dtype == cell.dtype, name

    def test_a_batch_is_its_samples(self) -> None:
        cell = disturb(self.make(3, 5))
        inputs = random_inputs(cell, 4, 2, 3)  # time, two batch dimensions
        batch = cell.initial_state().expand(2, 3, -1)
        for x in inputs:
            batch, _ = cell.step(x, batch)
        assert cell.output(batch).shape == (2, 3, cell.output_size)
        for i in range(2):
            for j in range(3):
                state = cell.initial_state()
                for x in inputs[:, i, j]:
                    state, _ = cell.step(x, state)
                expected = cell.output(state)
                torch.testing.assert_close(cell.output(batch)[i, j], expected, rtol=0, atol=1e-12)

    def test_the_seed_fixes_the_parameters(self) -> None:
        first, second = self.make(3, 5, seed=7), self.make(3, 5, seed=7)
        assert _same(first.named_parameters(), second.named_parameters())
        assert not torch.equal(first.flat_parameters, self.make(3, 5, seed=8).flat_parameters)

    def test_making_a_cell_leaves_the_global_generator_alone(self) -> None:
        before = torch.get_rng_state()
        self.make(3, 5)
        assert torch.equal(before, torch.get_rng_state())

    def test_saved_parameters_are_restored(self) -> None:
        cell = disturb(self.make(3, 5))
        saved = {name: tensor.clone() for name, tensor in cell.named_parameters().items()}
        inputs, dloss_dy = random_inputs(cell, 5), loss_weights(cell)
        before = forward_gradients(cell, inputs, dloss_dy)
        other = self.make(3, 5, seed=9)
        other.load_parameters(saved)
        assert _same(before, forward_gradients(other, inputs, dloss_dy))

    def test_a_missing_or_misshapen_parameter_is_named_and_nothing_is_loaded(self) -> None:
        cell = self.make(3, 5)
        saved = {name: tensor.clone() for name, tensor in cell.named_parameters().items()}
        last = list(saved)[-1]
        wrong = {name: tensor + 1 for name, tensor in saved.items()}
        for broken in (
            {name: tensor for name, tensor in wrong.items() if name != last},
            wrong | {last: torch.zeros(99)},
        ):
            try:
                cell.load_parameters(broken)
            except ValueError as error:
                assert last in str(error)
            else:
                raise AssertionError('a broken set of parameters was loaded')
            assert _same(cell.named_parameters(), saved)

    def test_flat_parameters_are_the_named_ones(self) -> None:
        cell = self.make(3, 5)
        cell.flat_parameters.add_(1.0)
        flat = torch.cat([tensor.reshape(-1) for tensor in cell.named_parameters().values()])
        assert torch.equal(flat, cell.flat_parameters)

    def test_parameters_move_into_memory_they_are_given(self) -> None:
        cell = self.make(3, 5)
        values = cell.flat_parameters.clone()
        memory = torch.zeros(2 + values.numel(), dtype=cell.dtype)
        cell.bind_parameters(memory[2:])
        assert torch.equal(memory[2:], values)
        memory += 1.0
        named = torch.cat([tensor.reshape(-1) for tensor in cell.named_parameters().values()])
        assert torch.equal(named, values + 1.0)
