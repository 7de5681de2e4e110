"""The parameter step and the eligibility trace of one parameter, inlined into every kernel.

The rule, and its order, are those of `rtrrl_ros.learning.reference`, the same in torch:

    step   = Adam(delta z + bonus), or lr (delta z + bonus)
    theta <- origin + (1 - pull) (theta + step - origin)
    z     <- decay z + gradient

`bonus` is a gradient that no TD error scales (of the entropy). All arrays of P parameters lie in
one `memory`, `stride` apart, in the order below. What a kernel does is a compile-time constant, its
`mode`: one of `OBSERVE`, `SGD`, `ADAM`, plus `TETHERED`, plus `BONUS`.
"""

import math

import numpy as np

from .compiling import ONE, ZERO, Array, inlined

THETA, Z, FIRST, SECOND, ORIGIN, GRADIENT, EXTRA = range(7)
ARRAYS = 7

#: What a kernel does with the parameters: leave them alone, or move them by this rule.
OBSERVE, SGD, ADAM = range(3)
OPTIMIZER = 3  # the bits of `mode` that hold one of these
#: Something holds the parameters near their origin.
TETHERED = 4
#: There is a gradient `bonus`, in the array EXTRA where it does not follow from the cotangent.
BONUS = 8

#: Entries of `hyper`, float64: what the rule needs beside TD error and decay. The kernel keeps the
#: last ones: beta1^t and beta2^t after t steps, ||z||, and a bound on ||theta - origin||.
(
    LEARNING_RATE, BETA1, BETA2, EPSILON, PULL, DRIFT_LIMIT, KAPPA, LONGEST_STEP,
    POWER1, POWER2, NORM, REACH,
) = range(12)  # fmt: skip
HYPER = 12

Rule = tuple[np.float32, ...]  # what `begin` returns


def longest_adam_step(learning_rate: float, beta1: float, beta2: float, count: int) -> float:
    """No step of Adam on `count` parameters is longer than this, whatever the gradients.

    By Cauchy-Schwarz the first moment is at most sqrt(second moment) times
    (1 - beta1) / sqrt((1 - beta2) (1 - beta1^2 / beta2)); bias correction only shortens it.
    """
    ratio = beta1 * beta1 / beta2
    if ratio >= 1.0:
        return math.inf
    return learning_rate * (1.0 - beta1) / math.sqrt((1.0 - beta2) * (1.0 - ratio) / count)


@inlined
def begin(
    memory: Array,
    hyper: Array,
    count: int,
    stride: int,
    mode: int,
    delta: float,
    decay: float,
) -> Rule:
    """The numbers that `td_step` uses for every parameter in this step."""
    scale, root = hyper[LEARNING_RATE], 1.0
    longest = hyper[LONGEST_STEP]
    if mode & OPTIMIZER == ADAM:
        hyper[POWER1] *= hyper[BETA1]
        hyper[POWER2] *= hyper[BETA2]
        scale /= 1.0 - hyper[POWER1]
        root = 1.0 / np.sqrt(1.0 - hyper[POWER2])
    if mode & OPTIMIZER == SGD:
        if hyper[KAPPA] > 0.0:
            # ObGD (arXiv 2410.14606): bound the step so that it cannot overshoot its target.
            length = ZERO
            for k in range(count):
                length += abs(memory[Z * stride + k])
            scale /= max(1.0, scale * hyper[KAPPA] * max(abs(delta), 1.0) * length)
        longest = np.inf if mode & BONUS else scale * abs(delta) * hyper[NORM]
    if mode & OPTIMIZER and mode & TETHERED:
        hyper[REACH] = (1.0 - hyper[PULL]) * (hyper[REACH] + longest)
    return (
        np.float32(delta),
        np.float32(decay),
        np.float32(scale),
        np.float32(root),
        np.float32(hyper[BETA1]),
        np.float32(hyper[BETA2]),
        np.float32(hyper[EPSILON]),
        np.float32(1.0 - hyper[PULL]),
    )


@inlined
def td_step(
    memory: Array,
    k: int,
    stride: int,
    mode: int,
    gradient: np.float32,
    extra: np.float32,
    rule: Rule,
) -> np.float32:
    """Parameter k with this gradient and this bonus; returns the square of its new z."""
    delta, decay, scale, root, beta1, beta2, epsilon, keep = rule
    z = memory[Z * stride + k]
    if mode & OPTIMIZER:
        step = delta * z
        if mode & BONUS:
            step += extra
        if mode & OPTIMIZER == ADAM:
            first, second = memory[FIRST * stride + k], memory[SECOND * stride + k]
            first = first + (ONE - beta1) * (step - first)
            second = beta2 * second + (ONE - beta2) * step * step
            memory[FIRST * stride + k] = first
            memory[SECOND * stride + k] = second
            step = first / (np.sqrt(second) * root + epsilon)
        if mode & TETHERED:
            origin = memory[ORIGIN * stride + k]
            memory[k] = origin + keep * (memory[k] + scale * step - origin)
        else:
            memory[k] += scale * step
    z = decay * z + gradient
    memory[Z * stride + k] = z
    return z * z


@inlined
def td_steps(
    memory: Array,
    start: int,
    count: int,
    stride: int,
    mode: int,
    rule: Rule,
) -> np.float32:
    """`td_step` for parameters in a row whose gradients lie in the arrays GRADIENT and EXTRA."""
    size = ZERO
    for k in range(start, start + count):
        gradient, extra = memory[GRADIENT * stride + k], memory[EXTRA * stride + k]
        size += td_step(memory, k, stride, mode, gradient, extra, rule)
    return size


@inlined
def td_outer(
    memory: Array,
    start: int,
    rows: int,
    columns: int,
    left: int,
    extra_left: int,
    right: int,
    sign: np.float32,
    stride: int,
    mode: int,
    rule: Rule,
) -> np.float32:
    """`td_step` for a matrix whose gradient is sign * left (x) right, two blocks of `memory`.

    Its bonus is sign * extra_left (x) right.
    """
    size = ZERO
    for i in range(rows):
        factor, extra = sign * memory[left + i], sign * memory[extra_left + i]
        for j in range(columns):
            k = start + i * columns + j
            y = memory[right + j]
            size += td_step(memory, k, stride, mode, factor * y, extra * y, rule)
    return size


@inlined
def td_vector(
    memory: Array,
    start: int,
    count: int,
    source: int,
    extra_source: int,
    stride: int,
    mode: int,
    rule: Rule,
) -> np.float32:
    """`td_step` for parameters in a row whose gradient and bonus are blocks of `memory`."""
    size = ZERO
    for i in range(count):
        gradient, extra = memory[source + i], memory[extra_source + i]
        size += td_step(memory, start + i, stride, mode, gradient, extra, rule)
    return size


@inlined
def finish(
    memory: Array,
    hyper: Array,
    count: int,
    stride: int,
    mode: int,
    size: np.float32,
) -> None:
    """Keep ||z||, and pull the parameters back onto the sphere of radius `drift_limit`.

    The distance from the origin is summed up only when its bound does not settle the matter: in
    the pass over all parameters the sum would cost more than everything else about the origin.
    """
    hyper[NORM] = np.sqrt(size)
    if mode & OPTIMIZER and mode & TETHERED and hyper[REACH] > hyper[DRIFT_LIMIT]:
        squared = ZERO
        for k in range(count):
            drift = memory[k] - memory[ORIGIN * stride + k]
            squared += drift * drift
        norm = np.sqrt(np.float64(squared))
        if norm > hyper[DRIFT_LIMIT]:
            factor = np.float32(hyper[DRIFT_LIMIT] / norm)
            for k in range(count):
                origin = memory[ORIGIN * stride + k]
                memory[k] = origin + factor * (memory[k] - origin)
        hyper[REACH] = min(norm, hyper[DRIFT_LIMIT])


@inlined
def backward(memory: Array, start: int, rows: int, columns: int, source: int, target: int) -> None:
    """Write target = source^T M for the matrix M (rows, columns) that starts at `start`."""
    for j in range(columns):
        memory[target + j] = ZERO
    for i in range(rows):
        factor = memory[source + i]
        for j in range(columns):
            memory[target + j] += factor * memory[start + i * columns + j]
