"""CT-RNN under RFLO with a linear head: `cells.ctrnn` and `td` in two passes.

`forward` leaves the input [x; h; 1] that the trace needs, since it overwrites h. `learn` walks
once over trace, parameters and eligibility. There is no kernel for the dense RTRL trace.
"""

import numpy as np

from ..contract import Cell
from .compiling import ONE, ZERO, Array, Kernels, forward_kernel, learn_kernel, source_stamp
from .denormals import flush_denormals, restore
from .elementary import is_finite, tanh
from .layout import Layout
from .td import (
    GRADIENT,
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
    for name in ('state', 'leak', 'slope', 'd_y', 'trace_tau', 'to_tau'):
        result.block(name, n)
    result.block('xi', inputs + n + 1)
    result.block('x', inputs)
    result.block('out', head)
    result.block('d_out', head)
    return result


def build(cell: Cell, head: int, optimizer: int, tethered: bool) -> Kernels:
    """Compile for these sizes."""
    inputs, n = cell.input_size, cell.hidden_size
    plan = layout(cell, head)
    stride, total = plan.stride, plan.parameters
    columns = inputs + n + 1
    tau = n * columns
    weight = tau + n
    bias = weight + head * n
    grad = GRADIENT * stride
    state, leak_, slope_, d_y = plan.offsets('state', 'leak', 'slope', 'd_y')
    t_w, t_tau, to_tau = plan.offsets('trace_w', 'trace_tau', 'to_tau')
    xi, x_, out, d_out = plan.offsets('xi', 'x', 'out', 'd_out')
    dt = np.float32(cell.options['dt'])
    stamp = source_stamp()

    @forward_kernel
    def forward(memory: Array) -> bool:
        _ = stamp
        mode = flush_denormals()
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
        restore(mode)
        return is_finite(check)

    @learn_kernel
    def learn(memory: Array, hyper: Array, delta: float, decay_z: float) -> float:
        _ = stamp
        mode = flush_denormals()
        rule = begin(memory, hyper, total, stride, optimizer, tethered, delta, decay_z)
        backward(memory, weight, head, n, d_out, d_y)
        for i in range(n):
            trace = memory[leak_ + i] * memory[t_tau + i] + memory[to_tau + i]
            memory[t_tau + i] = trace
            memory[grad + tau + i] = memory[d_y + i] * trace
        size = ZERO
        for i in range(n):
            leak, slope, d = memory[leak_ + i], memory[slope_ + i], memory[d_y + i]
            for j in range(columns):
                k = i * columns + j
                trace = leak * memory[t_w + k] + slope * memory[xi + j]
                memory[t_w + k] = trace
                size += td_step(memory, k, stride, optimizer, tethered, d * trace, rule)
        size += td_steps(memory, tau, n, stride, optimizer, tethered, rule)
        size += td_outer(
            memory, weight, head, n, d_out, state, ONE, stride, optimizer, tethered, rule
        )
        size += td_vector(memory, bias, head, d_out, stride, optimizer, tethered, rule)
        finish(memory, hyper, total, stride, optimizer, tethered, size)
        if optimizer:
            for i in range(n):
                memory[tau + i] = max(memory[tau + i], ONE)
        restore(mode)
        return size

    return Kernels(forward, learn)
