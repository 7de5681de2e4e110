"""The compiled network against the reference in torch, step by step."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.cells.kernels import FusedNetwork, UpdateRule, has_kernels
from rtrrl_ros.errors import UserError
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.network import Network
from rtrrl_ros.learning.reference import ReferenceNetwork
from rtrrl_ros.learning.td_network import update_rule

CELLS = {
    'lrcssm': ('lrcssm', {}),
    'lrcssm small step': ('lrcssm', {'dt': 0.5}),
    # Slow phases and short memory: see 'lru long'.
    'lru': ('lru', {'r_max': 0.9, 'max_phase': 0.5}),
    'lru long': ('lru', {}),
    'lru narrow': ('lru', {'r_max': 0.9, 'max_phase': 0.5, 'output_size': 3}),
    'ctrnn': ('ctrnn', {'gradient': 'rflo'}),
}
CONFIG = LearnerConfig(gamma=0.95, lambda_actor=0.9, actor_learning_rate=1e-4)


def make_pair(
    cell: str,
    config: LearnerConfig = CONFIG,
    sizes: tuple[int, int, int] = (7, 12, 2),
    dtype: torch.dtype = torch.float64,
    bonus: bool = False,
    random_feedback: bool = False,
) -> tuple[ReferenceNetwork, FusedNetwork]:
    """The reference and the compiled network with the same parameters and rule."""
    name, options = CELLS[cell]
    inputs, hidden, head = sizes
    start = Network(make_cell(name, inputs, hidden, seed=3, **options), head, seed=4)
    reference = Network(make_cell(name, inputs, hidden, seed=3, dtype=dtype, **options), head, 4)
    reference.flat.copy_(start.flat)
    rule = update_rule(config, 'actor')
    shared = {'feedback': torch.randn(head, start.cell.output_size)} if random_feedback else {}
    return (
        ReferenceNetwork(reference, rule, **shared),
        FusedNetwork(start.cell, head, start.flat, rule, **shared, bonus=bonus),
    )


def drive(
    learner: ReferenceNetwork, fused: FusedNetwork, steps: int, seed: int = 0, bonus: bool = False
) -> float:
    """Run both on the same inputs and TD errors; the largest relative difference."""
    network = learner.network
    generator = np.random.default_rng(seed)
    worst = 0.0
    for step in range(steps):
        x = generator.standard_normal(network.cell.input_size).astype(np.float32)
        d_out = generator.standard_normal(network.head_size).astype(np.float32)
        td_error = float(generator.standard_normal()) * 0.1
        extra = 0.01 * generator.standard_normal(network.head_size) if bonus else None
        expected, got = learner.step(x), fused.step(x)
        for either in (learner, fused):
            assert either.learn(d_out, td_error if step else None, extra)
        for left, right in (
            (torch.from_numpy(got), torch.from_numpy(expected)),
            (fused.flat, network.flat),
            (fused.state, network.state),
            (fused.eligibility, learner.eligibility),
        ):
            unit = max(1.0, float(right.abs().max()))
            worst = max(worst, float((left - right).abs().max()) / unit)
    return worst


@pytest.mark.parametrize(
    ('cell', 'optimizer', 'rate'),
    [
        *((cell, 'adam', 1e-4) for cell in CELLS if cell != 'lru long'),
        ('lrcssm', 'sgd', 1e-3),
        ('lrcssm', 'obgd', 1.0),
    ],
)
def test_it_learns_like_the_reference_for_1000_steps(
    cell: str, optimizer: str, rate: float
) -> None:
    config = dataclasses.replace(CONFIG, optimizer=optimizer, actor_learning_rate=rate)
    learner, fused = make_pair(cell, config)
    assert drive(learner, fused, 1000) < 1e-5
    assert learner.drift() > 1e-3  # something was learned


def test_where_memory_is_long_it_is_as_true_as_the_reference_in_float32() -> None:
    """With |lambda| up to 1 and phases up to 2 pi, rounding of lambda alone exceeds 1e-5 in h."""
    truth, fused = make_pair('lru long')
    single, _ = make_pair('lru long', dtype=torch.float32)
    drive(truth, fused, 300)
    drive(single, make_pair('lru long')[1], 300)
    got = float((fused.flat - truth.network.flat).abs().max())
    assert got < 1e-5
    assert got < 2 * float((single.network.flat - truth.network.flat).abs().max())


@pytest.mark.parametrize('optimizer', ['adam', 'obgd'])
@pytest.mark.parametrize('cell', ['lrcssm', 'lru', 'ctrnn'])
def test_a_bonus_and_random_feedback_and_clipping_follow_the_reference(
    cell: str, optimizer: str
) -> None:
    config = dataclasses.replace(CONFIG, optimizer=optimizer, gradient_clip=0.5)
    pair = make_pair(cell, config, bonus=True, random_feedback=True)
    start = pair[1].flat.clone()
    assert drive(*pair, 300, bonus=True) < 1e-5
    plain = make_pair(cell, dataclasses.replace(config, gradient_clip=0.0))
    drive(*plain, 300)
    # each of the three moves the parameters elsewhere
    assert float((pair[1].flat - plain[1].flat).norm()) > 0.1 * float(
        (plain[1].flat - start).norm()
    )


@pytest.mark.parametrize('cell', ['lrcssm', 'lru', 'ctrnn'])
def test_a_forward_pass_alone_gives_the_same_output(cell: str) -> None:
    (_, one), (_, two) = make_pair(cell), make_pair(cell)
    for x in np.random.default_rng(0).standard_normal((20, 7)).astype(np.float32):
        assert np.array_equal(one.step(x, with_trace=False), two.step(x))


@pytest.mark.parametrize('cell', ['lrcssm', 'lru', 'ctrnn'])
def test_it_keeps_the_drift_limit(cell: str) -> None:
    config = dataclasses.replace(CONFIG, actor_learning_rate=1e-3, drift_limit=0.02)
    learner, fused = make_pair(cell, config)
    assert drive(learner, fused, 200) < 1e-5
    assert fused.drift() == pytest.approx(0.02, rel=1e-4)


@pytest.mark.parametrize('limit', [5.0, 0.01])
def test_held_elsewhere_it_follows_the_reference_on(limit: float) -> None:
    config = dataclasses.replace(CONFIG, actor_learning_rate=1e-3, drift_penalty=50.0)
    learner, fused = make_pair('lrcssm', config)
    drive(learner, fused, 100)
    anchor = fused.flat.clone()
    for either in (learner, fused):
        either.tether(anchor, limit)
    assert drive(learner, fused, 100) < 1e-5
    assert 0.0 < float((fused.flat - anchor).norm()) <= limit * (1 + 1e-4)


def test_without_pull_or_limit_it_still_follows_the_reference() -> None:
    config = dataclasses.replace(CONFIG, drift_penalty=0.0, drift_limit=1e30)
    learner, fused = make_pair('lrcssm', config)
    rule = dataclasses.replace(fused.rule, drift_limit=math.inf)
    assert drive(learner, FusedNetwork(fused.cell, 2, fused.flat, rule), 200) < 1e-5


def test_the_drift_limit_holds_after_the_weights_were_moved() -> None:
    config = dataclasses.replace(CONFIG, drift_limit=0.02)
    _, fused = make_pair('lrcssm', config)
    generator = np.random.default_rng(0)
    for step in range(50):
        if step == 25:
            fused.flat.add_(1.0)
            fused.reset_optimizer()
        fused.step(generator.standard_normal(7).astype(np.float32))
        fused.learn(np.ones(2, np.float32), 0.1 if step else None)
        assert step == 0 or fused.drift() <= 0.02 * (1 + 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize('sizes', [(1, 1, 1), (35, 17, 2), (64, 64, 1)])
@pytest.mark.parametrize('cell', ['lrcssm', 'lru', 'ctrnn'])
def test_it_works_for_any_size(cell: str, sizes: tuple[int, int, int]) -> None:
    assert drive(*make_pair(cell, sizes=sizes), steps=50) < 1e-5


@pytest.mark.parametrize('cell', ['lrcssm', 'lru', 'ctrnn'])
def test_the_trace_goes_on_through_steps_that_nothing_is_learned_from(cell: str) -> None:
    learner, fused = make_pair(cell)
    assert drive(learner, fused, 20) < 1e-5
    x = np.ones(7, np.float32)
    for _ in range(3):
        learner.step(x)
        fused.step(x)
    assert drive(learner, fused, 20, seed=1) < 1e-5


@pytest.mark.parametrize('cell', ['lrcssm', 'lru', 'ctrnn'])
def test_reset_and_cut_start_a_new_lap(cell: str) -> None:
    learner, fused = make_pair(cell)
    drive(learner, fused, 20)
    for either in (learner, fused):
        either.reset()
        either.cut()
        either.reset_optimizer()
    assert not fused.state.any() and not fused.eligibility.any()
    assert drive(learner, fused, 50, seed=1) < 1e-5


def test_tau_stays_at_one_or_above() -> None:
    learner, fused = make_pair('ctrnn', dataclasses.replace(CONFIG, actor_learning_rate=1e-2))
    for network in (learner.network.cell, fused.cell):
        network.named_parameters()['tau'].fill_(1.0)
    drive(learner, fused, 50)
    assert fused.cell.named_parameters()['tau'].min() >= 1.0


@pytest.mark.parametrize('cell', ['lrcssm', 'lru', 'ctrnn'])
def test_nothing_ever_becomes_so_small_that_arithmetic_slows_down(cell: str) -> None:
    _, fused = make_pair(cell)
    x = np.zeros(7, np.float32)
    x[0] = 1.0
    zero = np.zeros(2, np.float32)
    for step in range(1500):
        fused.step(x)
        fused.learn(np.ones(2, np.float32) if step == 0 else zero, 1e-3 if step == 1 else 0.0)
        x[0] = 0.0
    smallest = np.finfo(np.float32).smallest_normal
    for name in ('eligibility', 'first', 'second', 'state'):
        values = getattr(fused, name).numpy()
        assert not ((values != 0) & (np.abs(values) < smallest)).any(), name


@pytest.mark.parametrize('cell', ['lrcssm', 'lru', 'ctrnn'])
@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_number_that_is_not_finite_reaches_no_parameter(cell: str, bad: float) -> None:
    learner, fused = make_pair(cell)
    drive(learner, fused, 20)
    x, one = np.ones(7, np.float32), np.ones(2, np.float32)
    fused.step(x)
    assert not fused.learn(np.array([bad, 1.0], np.float32), 0.1)  # of the new gradient
    assert not fused.eligibility.any() and torch.isfinite(fused.flat).all()
    fused.step(x)
    assert fused.learn(one, 0.1)
    before, eligibility = fused.flat.clone(), fused.eligibility.clone()
    fused.step(x)
    assert not fused.ready(bad) and not fused.learn(one, bad)  # of the TD error
    x[2] = np.nan
    fused.step(x)
    assert not fused.finite and not fused.learn(one, 0.1)  # of the input
    assert torch.equal(fused.flat, before) and torch.equal(fused.eligibility, eligibility)
    fused.reset()
    fused.cut()
    assert np.isfinite(fused.step(np.ones(7, np.float32))).all()
    assert fused.learn(one, 0.1)
    assert torch.isfinite(fused.flat).all()


def test_an_eligibility_too_large_to_square_is_refused() -> None:
    _, fused = make_pair('lrcssm')
    x = np.ones(7, np.float32)
    fused.step(x)
    fused.learn(np.full(2, 1e17, np.float32), None)
    before = fused.flat.clone()
    fused.step(x)
    assert not fused.ready(1e3) and not fused.learn(np.ones(2, np.float32), 1e3)
    assert torch.equal(fused.flat, before)


def test_an_input_of_the_wrong_size_is_refused() -> None:
    _, fused = make_pair('lrcssm')
    with pytest.raises(ValueError, match='shape'):
        fused.step(np.ones(8, np.float32))


def test_inputs_of_another_precision_are_converted() -> None:
    learner, fused = make_pair('lrcssm')
    x = np.linspace(-1, 1, 7)
    np.testing.assert_allclose(fused.step(x), learner.step(x), atol=1e-6)


def test_the_cell_lives_in_the_memory_of_the_network() -> None:
    _, fused = make_pair('lrcssm')
    fused.flat.fill_(0.5)
    assert all((tensor == 0.5).all() for tensor in fused.cell.named_parameters().values())


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        ('ctrnn', {'gradient': 'rtrl'}),
        ('lrcssm', {'dtype': torch.float64}),
    ],
)
def test_a_cell_without_kernels_is_refused(name: str, options: dict) -> None:
    cell = make_cell(name, 2, 3, seed=0, **options)
    assert not has_kernels(cell)
    with pytest.raises(UserError, match='no fused kernels'):
        FusedNetwork(cell, 1, torch.zeros(1), UpdateRule('adam', 1e-3, 0.9))
