"""CT-RNN under RFLO with a linear head: `cells.ctrnn` and `td` in two passes.

`forward` leaves the input [x; h; 1] that the trace needs, since it overwrites h. `learn` walks
once over trace, parameters and eligibility. There is no kernel for the dense RTRL trace.
"""

import numpy as np

from ..contract import Cell
from .compiling import ONE, ZERO, Array, Kernels, source_stamp
from .denormals import flush_denormals, restore
from .elementary import is_finite, tanh
from .layout import Layout
from .td import (
    BONUS,
    EXTRA,
    GRADIENT,
    OPTIMIZER,
    backward,
    begin,
    finish,
    td_outer,
    td_step,
    td_steps,
    td_vector,
)


def layout(cell: Cell, head: int) -> Layout:
    """Memory of a network of this cell with `head` outputs."""
    inputs, n = cell.input_size, cell.hidden_size
    matrix = n * (inputs + n + 1)
    result = Layout(matrix + n + head * n + head)
    result.block('trace_w', matrix, beside=0)
    for name in ('state', 'leak', 'slope', 'd_y', 'e_y', 'trace_tau', 'to_tau'):
        result.block(name, n)
    result.block('xi', inputs + n + 1)
    result.block('x', inputs)
    result.block('out', head)
    for name in ('d_out', 'e_out'):
        result.block(name, head)
    result.block('feedback', head * n)
    return result


def build(cell: Cell, head: int, mode: int, feedback: bool) -> Kernels:
    """What to compile for these sizes."""
    inputs, n = cell.input_size, cell.hidden_size
    plan = layout(cell, head)
    stride, total = plan.stride, plan.parameters
    columns = inputs + n + 1
    tau = n * columns
    weight = tau + n
    bias = weight + head * n
    grad, extra = GRADIENT * stride, EXTRA * stride
    state, leak_, slope_, d_y, e_y = plan.offsets('state', 'leak', 'slope', 'd_y', 'e_y')
    t_w, t_tau, to_tau = plan.offsets('trace_w', 'trace_tau', 'to_tau')
    xi, x_, out, d_out, e_out = plan.offsets('xi', 'x', 'out', 'd_out', 'e_out')
    (back,) = plan.offsets('feedback') if feedback else (weight,)
    dt = np.float32(cell.options['dt'])
    stamp = source_stamp()

    def forward(memory: Array) -> bool:
        _ = stamp
        control = flush_denormals()
        for j in range(inputs):
            memory[xi + j] = memory[x_ + j]
        for j in range(n):
            memory[xi + inputs + j] = memory[state + j]
        memory[xi + columns - 1] = ONE
        for i in range(n):
            drive = ZERO
            for j in range(columns):
                drive += memory[i * columns + j] * memory[xi + j]
            memory[slope_ + i] = drive
        check = ZERO
        for i in range(n):
            h = memory[state + i]
            activation = tanh(memory[slope_ + i])
            rate = dt / memory[tau + i]
            new = h + rate * (activation - h)
            memory[state + i] = new
            memory[leak_ + i] = ONE - rate
            memory[slope_ + i] = rate * (ONE - activation * activation)
            memory[to_tau + i] = rate / memory[tau + i] * (h - activation)
            check += new + memory[to_tau + i]
        for o in range(head):
            value = memory[bias + o]
            for i in range(n):
                value += memory[weight + o * n + i] * memory[state + i]
            memory[out + o] = value
            check += value
        restore(control)
        return is_finite(check)

    def learn(memory: Array, hyper: Array, delta: float, decay_z: float) -> float:
        _ = stamp
        control = flush_denormals()
        rule = begin(memory, hyper, total, stride, mode, delta, decay_z)
        backward(memory, back, head, n, d_out, d_y)
        if mode & BONUS:
            backward(memory, back, head, n, e_out, e_y)
        for i in range(n):
            trace = memory[leak_ + i] * memory[t_tau + i] + memory[to_tau + i]
            memory[t_tau + i] = trace
            memory[grad + tau + i] = memory[d_y + i] * trace
            memory[extra + tau + i] = memory[e_y + i] * trace
        size = ZERO
        for i in range(n):
            leak, slope = memory[leak_ + i], memory[slope_ + i]
            d, e = memory[d_y + i], memory[e_y + i]
            for j in range(columns):
                k = i * columns + j
                trace = leak * memory[t_w + k] + slope * memory[xi + j]
                memory[t_w + k] = trace
                size += td_step(memory, k, stride, mode, d * trace, e * trace, rule)
        size += td_steps(memory, tau, n, stride, mode, rule)
        size += td_outer(memory, weight, head, n, d_out, e_out, state, ONE, stride, mode, rule)
        size += td_vector(memory, bias, head, d_out, e_out, stride, mode, rule)
        finish(memory, hyper, total, stride, mode, size)
        if mode & OPTIMIZER:
            for i in range(n):
                memory[tau + i] = max(memory[tau + i], ONE)
        restore(control)
        return size

    return Kernels(forward, learn)
