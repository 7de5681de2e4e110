"""The parameter step and the eligibility trace of one parameter, inlined into every kernel.

The rule, and its order, are those of `rtrrl_ros.learning.rtrrl`, the reference in torch:

    step   = Adam(delta z), or lr delta z
    theta <- origin + (1 - pull) (theta + step - origin)
    z     <- decay z + gradient

All arrays of P parameters lie in one `memory`, `stride` apart, in the order below.
"""

import numpy as np

from .compiling import ONE, ZERO, Array, inlined

THETA, Z, FIRST, SECOND, ORIGIN, GRADIENT = range(6)
ARRAYS = 6

#: What a kernel does with the parameters; a compile-time constant.
OBSERVE, SGD, ADAM = range(3)

#: Entries of `hyper`, float64: what the rule needs beside TD error and decay. POWER1 and POWER2
#: are beta1^t and beta2^t after t steps, kept by the kernel.
LEARNING_RATE, BETA1, BETA2, EPSILON, PULL, DRIFT_LIMIT, KAPPA, POWER1, POWER2 = range(9)
HYPER = 9

Rule = tuple[np.float32, ...]  # what `begin` returns
Sums = tuple[np.float32, np.float32]  # ||theta - origin||^2 and ||z||^2, or a part of them


@inlined
def begin(
    memory: Array, hyper: Array, count: int, stride: int, optimizer: int, delta: float, decay: float
) -> Rule:
    """The numbers that `td_step` uses for every parameter in this step."""
    scale, root = hyper[LEARNING_RATE], 1.0
    if optimizer == ADAM:
        hyper[POWER1] *= hyper[BETA1]
        hyper[POWER2] *= hyper[BETA2]
        scale /= 1.0 - hyper[POWER1]
        root = 1.0 / np.sqrt(1.0 - hyper[POWER2])
    if optimizer == SGD and hyper[KAPPA] > 0.0:
        # ObGD (arXiv 2410.14606): bound the step so that it cannot overshoot its target.
        length = ZERO
        for k in range(count):
            length += abs(memory[Z * stride + k])
        scale /= max(1.0, scale * hyper[KAPPA] * max(abs(delta), 1.0) * length)
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
    optimizer: int,
    tethered: bool,
    gradient: np.float32,
    rule: Rule,
) -> Sums:
    """Parameter k, whose gradient is now `gradient`; returns its (drift^2, z^2)."""
    delta, decay, scale, root, beta1, beta2, epsilon, keep = rule
    z = memory[Z * stride + k]
    squared_drift = ZERO
    if optimizer != OBSERVE:
        step = delta * z
        if optimizer == ADAM:
            first, second = memory[FIRST * stride + k], memory[SECOND * stride + k]
            first = first + (ONE - beta1) * (step - first)
            second = beta2 * second + (ONE - beta2) * step * step
            memory[FIRST * stride + k] = first
            memory[SECOND * stride + k] = second
            step = first / (np.sqrt(second) * root + epsilon)
        if tethered:
            origin = memory[ORIGIN * stride + k]
            drift = keep * (memory[k] + scale * step - origin)
            memory[k] = origin + drift
            squared_drift = drift * drift
        else:
            memory[k] += scale * step
    z = decay * z + gradient
    memory[Z * stride + k] = z
    return squared_drift, z * z


@inlined
def td_steps(
    memory: Array,
    start: int,
    count: int,
    stride: int,
    optimizer: int,
    tethered: bool,
    rule: Rule,
) -> Sums:
    """`td_step` for parameters in a row whose gradients lie in the array GRADIENT."""
    drift, size = ZERO, ZERO
    for k in range(start, start + count):
        gradient = memory[GRADIENT * stride + k]
        more = td_step(memory, k, stride, optimizer, tethered, gradient, rule)
        drift += more[0]
        size += more[1]
    return drift, size


@inlined
def td_outer(
    memory: Array,
    start: int,
    rows: int,
    columns: int,
    left: int,
    right: int,
    sign: np.float32,
    stride: int,
    optimizer: int,
    tethered: bool,
    rule: Rule,
) -> Sums:
    """`td_step` for a matrix whose gradient is sign * left (x) right, two blocks of `memory`."""
    drift, size = ZERO, ZERO
    for i in range(rows):
        factor = sign * memory[left + i]
        for j in range(columns):
            k = start + i * columns + j
            gradient = factor * memory[right + j]
            more = td_step(memory, k, stride, optimizer, tethered, gradient, rule)
            drift += more[0]
            size += more[1]
    return drift, size


@inlined
def td_vector(
    memory: Array,
    start: int,
    count: int,
    source: int,
    stride: int,
    optimizer: int,
    tethered: bool,
    rule: Rule,
) -> Sums:
    """`td_step` for parameters in a row whose gradient is the block `source` of `memory`."""
    drift, size = ZERO, ZERO
    for i in range(count):
        gradient = memory[source + i]
        more = td_step(memory, start + i, stride, optimizer, tethered, gradient, rule)
        drift += more[0]
        size += more[1]
    return drift, size


@inlined
def limit_drift(memory: Array, count: int, stride: int, squared: np.float32, hyper: Array) -> None:
    """Pull all parameters back onto the sphere of radius `drift_limit` around their origin."""
    norm, limit = np.sqrt(squared), np.float32(hyper[DRIFT_LIMIT])
    if norm > limit:
        factor = limit / norm
        for k in range(count):
            origin = memory[ORIGIN * stride + k]
            memory[k] = origin + factor * (memory[k] - origin)


@inlined
def backward(memory: Array, start: int, rows: int, columns: int, source: int, target: int) -> None:
    """Write target = source^T M for the matrix M (rows, columns) that starts at `start`."""
    for j in range(columns):
        memory[target + j] = ZERO
    for i in range(rows):
        factor = memory[source + i]
        for j in range(columns):
            memory[target + j] += factor * memory[start + i * columns + j]
