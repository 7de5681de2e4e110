"""Proof that the gradient tests can fail: every single term of every trace is broken in turn.

Each mutation edits the source text of a cell, runs it, and must be caught. The table of what each
one does to the gradient:

    python test/cells/test_trace_mutations.py
"""

import importlib
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import rtrrl_ros.cells
from rtrrl_ros.cells import reference
from rtrrl_ros.cells.conformance import CellConformance, disturb, loss_weights, random_inputs
from rtrrl_ros.cells.contract import Cell

TOLERANCE = 1e-9

# Per cell: (text in its module, what it becomes). The text must be there exactly once.
LRCSSM = [
    # a, b, c: sensitivities to the arguments of the three gates
    ('a = -dt * elastance', 'a = dt * elastance'),
    ('a = -dt * elastance * forget', 'a = -dt * forget'),
    ('* forget * (1 - forget) * h', '* (1 - forget) * h'),
    ('* forget * (1 - forget) * h', '* forget * h'),
    ('* forget * (1 - forget) * h', '* forget * (1 - forget)'),
    ("b = dt * elastance * p['v_l']", "b = dt * p['v_l']"),
    ("b = dt * elastance * p['v_l'] *", 'b = dt * elastance *'),
    ("* p['v_l'] * (1 - target * target)", "* p['v_l']"),
    ("c = dt * (p['v_l'] * target - forget * h)", "c = dt * (p['v_l'] * target)"),
    ("c = dt * (p['v_l'] * target - forget * h)", 'c = dt * (-forget * h)'),
    ("c = dt * (p['v_l'] * target - forget * h)", 'c = dt * (target - forget * h)'),
    ('* elastance * (1 - elastance)', '* (1 - elastance)'),
    ('* elastance * (1 - elastance)', '* elastance'),
    # the path through r
    ("(a * p['w'] + b * p['k']) * r", "(a * p['w']) * r"),
    ("(a * p['w'] + b * p['k']) * r", "(b * p['k']) * r"),
    ('* r * (1 - r)', '* (1 - r)'),
    ('* r * (1 - r)', '* r'),
    ("q = self_gain * p['sig']", 'q = self_gain'),
    # the diagonal of the Jacobian
    ('decay = 1 - dt', 'decay = -dt'),
    ('decay = 1 - dt * elastance * forget + c', 'decay = 1 + c'),
    ('decay = 1 - dt * elastance * forget + c', 'decay = 1 - dt * forget + c'),
    ('decay = 1 - dt * elastance * forget + c', 'decay = 1 - dt * elastance + c'),
    ("+ c * p['w_e'] + q", '+ q'),
    ("+ c * p['w_e'] + q", '+ c + q'),
    ("+ c * p['w_e'] + q", "+ c * p['w_e']"),
    # immediate terms, one per parameter
    ('(a + b, dt', '(a, dt'),
    ('(a + b, dt', '(b, dt'),
    ('dt * elastance * target, c * h', 'dt * target, c * h'),
    ('dt * elastance * target, c * h', 'dt * elastance, c * h'),
    ('target, c * h, c,', 'target, c, c,'),
    ('target, c * h, c,', 'target, c * h, 0 * c,'),
    ('c, a * r,', 'c, a,'),
    ('b * r, -q', 'b, -q'),
    ('b * r, -q', 'b * r, q'),
    ("self_gain * (h - p['mu']))", 'self_gain * h)'),
    ("self_gain * (h - p['mu']))", "q * (h - p['mu']))"),
    ('torch.outer(a, s)', 'torch.outer(a, x)'),
    ('torch.outer(b, s)', 'torch.outer(a, s)'),
    ('slope = s * (1 - s)', 'slope = s'),
    ('slope = s * (1 - s)', 'slope = 1 - s'),
    ("a[:, None] * p['W_in'] + b[:, None] * p['H_in']", "a[:, None] * p['W_in']"),
    ("a[:, None] * p['W_in'] + b[:, None] * p['H_in']", "b[:, None] * p['H_in']"),
    ("(-p['sig_in'] * slope)", "(p['sig_in'] * slope)"),
    ("(-p['sig_in'] * slope)", '(-slope)'),
    ("((x - p['mu_in']) * slope)", '(x * slope)'),
    # the past
    ("unit.addcmul_(decay, trace['unit'])", 'unit'),
    ("unit.addcmul_(decay, trace['unit'])", "unit.add_(trace['unit'])"),
    ("inputs.addcmul_(decay[:, None], trace['input'])", 'inputs'),
    ("inputs.addcmul_(decay[:, None], trace['input'])", "inputs.add_(trace['input'])"),
    # the read-out of the gradient
    ("(UNIT_PARAMETERS, dloss_dy * trace['unit'], ", "(UNIT_PARAMETERS, trace['unit'], "),
    ("weights = dloss_dy[:, None] * trace['input'][:2]", "weights = trace['input'][:2]"),
    ("shared = dloss_dy @ trace['input'][2:]", "shared = trace['input'][2:].sum(1)"),
]
LRU = [
    ('s_lam = lam * torch.complex', 's_lam = torch.complex'),
    ("(*trace['lam']) + h", "(*trace['lam']) + h + drive"),
    ("s_lam = lam * torch.complex(*trace['lam']) + h", 's_lam = h'),
    (
        "s_lam = lam * torch.complex(*trace['lam']) + h",
        "s_lam = lam * torch.complex(*trace['lam'])",
    ),
    ('s_g = lam * torch.complex', 's_g = torch.complex'),
    ("s_g = lam * torch.complex(*trace['g']) + drive", 's_g = drive'),
    ("s_g = lam * torch.complex(*trace['g']) + drive", "s_g = lam * torch.complex(*trace['g'])"),
    ('s_b = lam[:, None] * torch', 's_b = torch'),
    ("s_b = lam[:, None] * torch.complex(*trace['B']) + input_gain", 's_b = input_gain + 0j'),
    (
        "lam[:, None] * torch.complex(*trace['B']) + input_gain",
        "lam[:, None] * torch.complex(*trace['B'])",
    ),
    # the fault of published code: g in place of e^g
    ("torch.outer(torch.exp(self._parameters['g']), x)", "torch.outer(self._parameters['g'], x)"),
    ("torch.outer(torch.exp(self._parameters['g']), x)", 'x.expand(len(h), -1)'),
    # the other: only the first element of the cotangent
    (
        "torch.complex(dloss_dy @ p['C_re'], dloss_dy @ p['C_im'])",
        "torch.complex(dloss_dy[0] * p['C_re'][0], dloss_dy[0] * p['C_im'][0])",
    ),
    (
        "torch.complex(dloss_dy @ p['C_re'], dloss_dy @ p['C_im'])",
        "torch.complex(dloss_dy @ p['C_re'], -dloss_dy @ p['C_im'])",
    ),
    ("torch.complex(*trace['lam']) * self._lam()", "torch.complex(*trace['lam'])"),
    ("'nu': -rate * through_lam.real", "'nu': -through_lam.real"),
    ("'nu': -rate * through_lam.real", "'nu': rate * through_lam.real"),
    ("'theta': -frequency * through_lam.imag", "'theta': frequency * through_lam.imag"),
    ("'theta': -frequency * through_lam.imag", "'theta': -through_lam.imag"),
    ("'theta': -frequency * through_lam.imag", "'theta': -frequency * through_lam.real"),
    ("'g': (delta * torch.complex(*trace['g'])).real", "'g': torch.complex(*trace['g']).real"),
    ("'B_re': through_b.real", "'B_re': through_b.imag"),
    ("'B_im': -through_b.imag", "'B_im': through_b.imag"),
    ("'C_re': torch.outer(dloss_dy, real)", "'C_re': torch.outer(dloss_dy, imaginary)"),
    ("'C_im': torch.outer(dloss_dy, -imaginary)", "'C_im': torch.outer(dloss_dy, imaginary)"),
    ("'D': torch.outer(dloss_dy, x)", "'D': torch.outer(dloss_dy, 0 * x)"),
]
CTRNN_SHARED = [
    ('slope = rate * (1 - activation * activation)', 'slope = 1 - activation * activation'),
    ('slope = rate * (1 - activation * activation)', 'slope = rate'),
    ("rate / self._parameters['tau'] * (h - activation)", 'rate * (h - activation)'),
    ("rate / self._parameters['tau'] * (h - activation)", "rate / self._parameters['tau'] * h"),
    (
        "rate / self._parameters['tau'] * (h - activation)",
        "-rate / self._parameters['tau'] * activation",
    ),
    ('torch.outer(slope, xi)', 'torch.outer(slope, 0 * xi)'),
]
CTRNN_RTRL = [
    *CTRNN_SHARED,
    ('jacobian = slope[:, None] * recurrent', 'jacobian = slope * recurrent'),
    ('jacobian = slope[:, None] * recurrent', 'jacobian = 0 * recurrent'),
    ('slope[:, None] * recurrent', 'slope[:, None] * recurrent.T'),
    ('jacobian.diagonal().add_(1 - forward.rate)', 'jacobian.diagonal().add_(1)'),
    ('jacobian.diagonal().add_(1 - forward.rate)', 'pass'),
    # the fault of published code: the wrong axis is contracted
    ("jacobian @ trace['W'].reshape(n, -1)", "jacobian.T @ trace['W'].reshape(n, -1)"),
    ('weights[unit, unit] += row', 'pass'),
    ("taus = jacobian @ trace['tau']", "taus = trace['tau'].clone()"),
    ('taus.diagonal().add_(tau)', 'pass'),
    ("torch.tensordot(dloss_dy, trace['W'], dims=1)", "trace['W'].sum(0)"),
    ("dloss_dy @ trace['tau']", "trace['tau'].sum(0)"),
]  # fmt: skip
CTRNN_RFLO = [
    *CTRNN_SHARED,
    ('leak = 1 - forward.rate', 'leak = 0 * forward.rate'),
    ('leak = 1 - forward.rate', 'leak = 1 + 0 * forward.rate'),
    ('leak = 1 - forward.rate', 'leak = forward.rate'),
    ('leak = 1 - forward.rate', "leak = 1 - 1 / self._parameters['tau']"),
    ("row.addcmul_(leak[:, None], trace['W'])", 'row'),
    ("tau.addcmul_(leak, trace['tau'])", 'tau'),
    ("{'W': dloss_dy[:, None] * trace['W'],", "{'W': trace['W'],"),
    ("'tau': dloss_dy * trace['tau']}", "'tau': trace['tau']}"),
]

CELLS = {
    'lrcssm': ('lrcssm', 'LrcSSM', {'dt': 0.7}, LRCSSM),
    'lru': ('lru', 'LRU', {}, LRU),
    'ctrnn rtrl': ('ctrnn', 'CTRNN', {'gradient': 'rtrl', 'dt': 0.7}, CTRNN_RTRL),
    'ctrnn rflo': ('ctrnn', 'CTRNN', {'gradient': 'rflo', 'dt': 0.7}, CTRNN_RFLO),
}
CASES = [
    pytest.param(cell, text, replacement, id=f'{cell}: {text} -> {replacement}')
    for cell, (_, _, _, mutations) in CELLS.items()
    for text, replacement in mutations
]


def edited_module(module_name: str, text: str, replacement: str) -> types.ModuleType:
    """A copy of a module of `rtrrl_ros.cells` with one piece of its text replaced."""
    original = importlib.import_module(f'{rtrrl_ros.cells.__name__}.{module_name}')
    assert original.__file__ is not None
    source = Path(original.__file__).read_text()
    assert source.count(text) == 1, f'{text!r} occurs {source.count(text)} times in {module_name}'
    module = types.ModuleType(f'{original.__name__}_edited')
    module.__package__ = original.__package__
    # NamedTuple and dataclass machinery looks its module up by name.
    sys.modules[module.__name__] = module
    exec(compile(source.replace(text, replacement), module.__name__, 'exec'), module.__dict__)
    return module


def factory(cell: str, text: str, replacement: str) -> Callable[..., Cell]:
    """What makes the cell from its edited source."""
    module_name, class_name, options, _ = CELLS[cell]
    cell_type = getattr(edited_module(module_name, text, replacement), class_name)

    def make(
        self: object, inputs: int, hidden: int, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> Cell:
        return cell_type(inputs, hidden, seed, dtype, **options)

    return make


def local_gradients(cell: Cell, inputs: Tensor, dloss_dy: Tensor) -> dict[str, Tensor]:
    """RFLO by its definition: automatic differentiation with the way through other units cut."""
    weights, tau = (
        tensor.clone().requires_grad_(True) for tensor in cell.named_parameters().values()
    )
    h = cell.initial_state()
    for x in inputs:
        seen = torch.cat((x, h.detach(), torch.ones(1, dtype=cell.dtype)))
        h = h + cell.options['dt'] * (torch.tanh(weights @ seen) - h) / tau
    found = torch.autograd.grad(dloss_dy @ h, (weights, tau))
    return dict(zip(('W', 'tau'), found, strict=True))


def check_rflo(make: Callable[..., Cell]) -> None:
    """The RFLO trace is the gradient of its definition over 50 steps, to the same tolerance."""
    cell = disturb(make(None, 4, 6))
    inputs, dloss_dy = random_inputs(cell, 50), loss_weights(cell)
    got = reference.forward_gradients(cell, inputs, dloss_dy)
    error, where = reference.largest_error(got, local_gradients(cell, inputs, dloss_dy))
    assert error <= TOLERANCE, f'gradient of {where} is off by {error:.2e}'


def check(cell: str, make: Callable[..., Cell]) -> None:
    """The gradient test of this cell; AssertionError if it fails."""
    if cell == 'ctrnn rflo':
        check_rflo(make)
    else:
        suite = type('Edited', (CellConformance,), {'make': make})()
        suite.test_gradients_are_those_of_automatic_differentiation()


@pytest.mark.parametrize('cell', CELLS)
def test_the_unedited_cell_passes(cell: str) -> None:
    text, _ = CELLS[cell][3][0]
    check(cell, factory(cell, text, text))


@pytest.mark.parametrize(('cell', 'text', 'replacement'), CASES)
def test_a_broken_term_is_caught(cell: str, text: str, replacement: str) -> None:
    make = factory(cell, text, replacement)
    with pytest.raises(AssertionError, match='gradient of'):
        check(cell, make)


def main() -> None:
    """Print the table of mutations and by how much the worst gradient is off."""
    missed = 0
    for case in CASES:
        cell, text, replacement = case.values
        try:
            check(cell, factory(cell, text, replacement))
            verdict, missed = 'NOT CAUGHT', missed + 1
        except AssertionError as error:
            verdict = str(error).splitlines()[0].split(' (')[0]
        print(f'| {cell} | `{text}` | `{replacement}` | {verdict} |')
    print(f'{len(CASES) - missed} of {len(CASES)} caught')


if __name__ == '__main__':
    main()
