"""LrcSSM with a linear head: the equations of `cells.lrcssm` and `td` in two passes.

`forward` advances the state and leaves what the trace needs: the decay D and, for every unit,
the immediate derivatives. `learn` then walks once over trace, parameters and eligibility.
"""

import numpy as np

from ..contract import Cell
from .compiling import ONE, ZERO, Array, Kernels, source_stamp
from .denormals import flush_denormals, restore
from .elementary import is_finite, sigmoid, tanh
from .layout import Layout
from .td import (
    BONUS,
    EXTRA,
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
    matrix, w_in = n * inputs, 8 * n
    result = Layout(w_in + 2 * matrix + 2 * inputs + head * n + head)
    result.block('trace_unit', 8 * n)
    result.block('trace_w', matrix, beside=w_in)
    result.block('trace_h', matrix, beside=w_in + matrix)
    result.block('trace_mu', matrix, beside=w_in)
    result.block('trace_sig', matrix, beside=w_in, place=1)
    for name in ('state', 'decay', 'a', 'b', 'd_y', 'e_y'):
        result.block(name, n)
    for name in ('s', 'to_mu', 'to_sig'):
        result.block(name, inputs)
    result.block('immediate', 8 * n)
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
    stride, total, matrix = plan.stride, plan.parameters, n * inputs
    g_l, v_l, w_e, b_e, w_r, k_r, mu, sig = (i * n for i in range(8))
    w_in, h_in = 8 * n, 8 * n + matrix
    mu_in = h_in + matrix
    sig_in, weight = mu_in + inputs, mu_in + 2 * inputs
    bias = weight + head * n
    grad, extra = GRADIENT * stride, EXTRA * stride
    state, decay_, a_, b_, d_y, e_y = plan.offsets('state', 'decay', 'a', 'b', 'd_y', 'e_y')
    s_, to_mu, to_sig = plan.offsets('s', 'to_mu', 'to_sig')
    immediate, x_, out = plan.offsets('immediate', 'x', 'out')
    d_out, e_out = plan.offsets('d_out', 'e_out')
    (back,) = plan.offsets('feedback') if feedback else (weight,)
    t_unit, t_w, t_h = plan.offsets('trace_unit', 'trace_w', 'trace_h')
    t_mu, t_sig = plan.offsets('trace_mu', 'trace_sig')
    dt = np.float32(cell.options['dt'])
    stamp = source_stamp()

    def forward(memory: Array) -> bool:
        _ = stamp
        control = flush_denormals()
        for j in range(inputs):
            offset = memory[x_ + j] - memory[mu_in + j]
            s = sigmoid(memory[sig_in + j] * offset)
            slope = s * (ONE - s)
            memory[s_ + j] = s
            memory[to_mu + j] = -memory[sig_in + j] * slope
            memory[to_sig + j] = offset * slope
        for i in range(n):
            drive, pull = ZERO, ZERO
            for j in range(inputs):
                drive += memory[w_in + i * inputs + j] * memory[s_ + j]
                pull += memory[h_in + i * inputs + j] * memory[s_ + j]
            memory[a_ + i] = drive
            memory[b_ + i] = pull
        check = ZERO
        for i in range(n):
            h = memory[state + i]
            offset = h - memory[mu + i]
            r = sigmoid(memory[sig + i] * offset)
            forget = sigmoid(memory[g_l + i] + memory[a_ + i] + memory[w_r + i] * r)
            target = tanh(memory[g_l + i] + memory[b_ + i] + memory[k_r + i] * r)
            elastance = sigmoid(memory[w_e + i] * h + memory[b_e + i])
            rate = dt * elastance
            pulled = memory[v_l + i] * target - forget * h
            a = -rate * forget * (ONE - forget) * h
            b = rate * memory[v_l + i] * (ONE - target * target)
            c = dt * pulled * elastance * (ONE - elastance)
            gain = (a * memory[w_r + i] + b * memory[k_r + i]) * r * (ONE - r)
            q = gain * memory[sig + i]
            decay = ONE - rate * forget + c * memory[w_e + i] + q
            new = h + rate * pulled
            memory[state + i] = new
            memory[decay_ + i] = decay
            memory[a_ + i] = a
            memory[b_ + i] = b
            memory[immediate + i] = a + b
            memory[immediate + n + i] = rate * target
            memory[immediate + 2 * n + i] = c * h
            memory[immediate + 3 * n + i] = c
            memory[immediate + 4 * n + i] = a * r
            memory[immediate + 5 * n + i] = b * r
            memory[immediate + 6 * n + i] = -q
            memory[immediate + 7 * n + i] = gain * offset
            check += new + decay
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
        for p in range(8):
            for i in range(n):
                k = p * n + i
                trace = memory[decay_ + i] * memory[t_unit + k] + memory[immediate + k]
                memory[t_unit + k] = trace
                memory[grad + k] = memory[d_y + i] * trace
                memory[extra + k] = memory[e_y + i] * trace
        size = td_steps(memory, 0, 8 * n, stride, mode, rule)
        for j in range(2 * inputs):
            memory[grad + mu_in + j] = ZERO
            memory[extra + mu_in + j] = ZERO
        for i in range(n):
            a, b, decay = memory[a_ + i], memory[b_ + i], memory[decay_ + i]
            d, e = memory[d_y + i], memory[e_y + i]
            row = i * inputs
            for j in range(inputs):
                k = row + j
                gain = a * memory[w_in + k] + b * memory[h_in + k]
                trace = decay * memory[t_mu + k] + gain * memory[to_mu + j]
                memory[t_mu + k] = trace
                memory[grad + mu_in + j] += d * trace
                if mode & BONUS:
                    memory[extra + mu_in + j] += e * trace
                trace = decay * memory[t_sig + k] + gain * memory[to_sig + j]
                memory[t_sig + k] = trace
                memory[grad + sig_in + j] += d * trace
                if mode & BONUS:
                    memory[extra + sig_in + j] += e * trace
            for j in range(inputs):
                k = row + j
                trace = decay * memory[t_w + k] + a * memory[s_ + j]
                memory[t_w + k] = trace
                size += td_step(memory, w_in + k, stride, mode, d * trace, e * trace, rule)
            for j in range(inputs):
                k = row + j
                trace = decay * memory[t_h + k] + b * memory[s_ + j]
                memory[t_h + k] = trace
                size += td_step(memory, h_in + k, stride, mode, d * trace, e * trace, rule)
        size += td_steps(memory, mu_in, 2 * inputs, stride, mode, rule)
        size += td_outer(memory, weight, head, n, d_out, e_out, state, ONE, stride, mode, rule)
        size += td_vector(memory, bias, head, d_out, e_out, stride, mode, rule)
        finish(memory, hyper, total, stride, mode, size)
        restore(control)
        return size

    return Kernels(forward, learn)
