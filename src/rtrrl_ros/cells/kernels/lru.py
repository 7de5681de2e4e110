"""LRU with a linear head: `cells.lru` and `td` in two passes.

Complex numbers are kept as a block of real and a block of imaginary parts. `forward` leaves
lambda, the drive e^g (B x) and the state before; `learn` walks once over trace, parameters and
eligibility.
"""

from ..contract import Cell
from .compiling import ONE, ZERO, Array, Kernels, source_stamp
from .denormals import flush_denormals, restore
from .elementary import cos_sin, exp, is_finite
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
    inputs, n, outputs = cell.input_size, cell.hidden_size, cell.output_size
    matrix, b_re = n * inputs, 3 * n
    cell_total = b_re + 2 * matrix + 2 * outputs * n + outputs * inputs
    result = Layout(cell_total + head * outputs + head)
    result.block('trace_re', matrix, beside=b_re)
    result.block('trace_im', matrix, beside=b_re, place=1)
    result.block('state', 2 * n + inputs)
    names = ['lam', 'drive', 'before', 'delta', 'epsilon', 'trace_lam', 'trace_g']
    for name in names:
        result.block(name, 2 * n)
    result.block('gain', n)
    result.block('y', outputs)
    result.block('d_y', outputs)
    result.block('e_y', outputs)
    result.block('x', inputs)
    result.block('out', head)
    for name in ('d_out', 'e_out'):
        result.block(name, head)
    result.block('feedback', head * outputs)
    return result


def build(cell: Cell, head: int, mode: int, feedback: bool) -> Kernels:
    """What to compile for these sizes."""
    inputs, n, outputs = cell.input_size, cell.hidden_size, cell.output_size
    plan = layout(cell, head)
    stride, total, matrix = plan.stride, plan.parameters, n * inputs
    nu, theta, g = 0, n, 2 * n
    b_re = 3 * n
    b_im = b_re + matrix
    c_re = b_im + matrix
    c_im = c_re + outputs * n
    direct = c_im + outputs * n
    weight = direct + outputs * inputs
    bias = weight + head * outputs
    grad, extra = GRADIENT * stride, EXTRA * stride
    state, lam, drive, before = plan.offsets('state', 'lam', 'drive', 'before')
    delta_, epsilon_, gain_ = plan.offsets('delta', 'epsilon', 'gain')
    y, d_y, e_y = plan.offsets('y', 'd_y', 'e_y')
    t_re, t_im, t_lam, t_g = plan.offsets('trace_re', 'trace_im', 'trace_lam', 'trace_g')
    x_, out, d_out, e_out = plan.offsets('x', 'out', 'd_out', 'e_out')
    (back,) = plan.offsets('feedback') if feedback else (weight,)
    newest = state + 2 * n  # x
    stamp = source_stamp()

    def forward(memory: Array) -> bool:
        _ = stamp
        control = flush_denormals()
        for j in range(inputs):
            memory[newest + j] = memory[x_ + j]
        for i in range(n):
            re, im = ZERO, ZERO
            for j in range(inputs):
                re += memory[b_re + i * inputs + j] * memory[newest + j]
                im += memory[b_im + i * inputs + j] * memory[newest + j]
            memory[drive + i] = re
            memory[drive + n + i] = im
        check = ZERO
        for i in range(n):
            radius = exp(-exp(memory[nu + i]))
            cosine, sine = cos_sin(exp(memory[theta + i]))
            lam_re, lam_im = radius * cosine, radius * sine
            gain = exp(memory[g + i])
            drive_re, drive_im = gain * memory[drive + i], gain * memory[drive + n + i]
            h_re, h_im = memory[state + i], memory[state + n + i]
            memory[lam + i] = lam_re
            memory[lam + n + i] = lam_im
            memory[gain_ + i] = gain
            memory[drive + i] = drive_re
            memory[drive + n + i] = drive_im
            memory[before + i] = h_re
            memory[before + n + i] = h_im
            memory[state + i] = lam_re * h_re - lam_im * h_im + drive_re
            memory[state + n + i] = lam_re * h_im + lam_im * h_re + drive_im
            check += memory[state + i] + memory[state + n + i] + gain
        for o in range(outputs):
            value = ZERO
            for i in range(n):
                value += memory[c_re + o * n + i] * memory[state + i]
                value -= memory[c_im + o * n + i] * memory[state + n + i]
            for j in range(inputs):
                value += memory[direct + o * inputs + j] * memory[newest + j]
            memory[y + o] = value
        for o in range(head):
            value = memory[bias + o]
            for i in range(outputs):
                value += memory[weight + o * outputs + i] * memory[y + i]
            memory[out + o] = value
            check += value
        restore(control)
        return is_finite(check)

    def learn(memory: Array, hyper: Array, delta: float, decay_z: float) -> float:
        _ = stamp
        control = flush_denormals()
        rule = begin(memory, hyper, total, stride, mode, delta, decay_z)
        backward(memory, back, head, outputs, d_out, d_y)
        backward(memory, c_re, outputs, n, d_y, delta_)
        backward(memory, c_im, outputs, n, d_y, delta_ + n)
        if mode & BONUS:
            backward(memory, back, head, outputs, e_out, e_y)
            backward(memory, c_re, outputs, n, e_y, epsilon_)
            backward(memory, c_im, outputs, n, e_y, epsilon_ + n)
        for i in range(n):
            l_re, l_im = memory[lam + i], memory[lam + n + i]
            d_re, d_im = memory[delta_ + i], memory[delta_ + n + i]
            e_re, e_im = memory[epsilon_ + i], memory[epsilon_ + n + i]
            s_re, s_im = memory[t_lam + i], memory[t_lam + n + i]
            re = l_re * s_re - l_im * s_im + memory[before + i]
            im = l_re * s_im + l_im * s_re + memory[before + n + i]
            memory[t_lam + i] = re
            memory[t_lam + n + i] = im
            # delta S_lam lam: the cotangent of log lam
            v_re, v_im = re * l_re - im * l_im, re * l_im + im * l_re
            rate, frequency = exp(memory[nu + i]), exp(memory[theta + i])
            memory[grad + nu + i] = -rate * (d_re * v_re - d_im * v_im)
            memory[grad + theta + i] = -frequency * (d_re * v_im + d_im * v_re)
            memory[extra + nu + i] = -rate * (e_re * v_re - e_im * v_im)
            memory[extra + theta + i] = -frequency * (e_re * v_im + e_im * v_re)
            s_re, s_im = memory[t_g + i], memory[t_g + n + i]
            re = l_re * s_re - l_im * s_im + memory[drive + i]
            im = l_re * s_im + l_im * s_re + memory[drive + n + i]
            memory[t_g + i] = re
            memory[t_g + n + i] = im
            memory[grad + g + i] = d_re * re - d_im * im
            memory[extra + g + i] = e_re * re - e_im * im
        size = td_steps(memory, 0, 3 * n, stride, mode, rule)
        for i in range(n):
            l_re, l_im, gain = memory[lam + i], memory[lam + n + i], memory[gain_ + i]
            d_re, d_im = memory[delta_ + i], memory[delta_ + n + i]
            e_re, e_im = memory[epsilon_ + i], memory[epsilon_ + n + i]
            for j in range(inputs):
                k = i * inputs + j
                s_re, s_im = memory[t_re + k], memory[t_im + k]
                re = l_re * s_re - l_im * s_im + gain * memory[newest + j]
                im = l_re * s_im + l_im * s_re
                memory[t_re + k] = re
                memory[t_im + k] = im
                gradient, bonus = d_re * re - d_im * im, e_re * re - e_im * im
                size += td_step(memory, b_re + k, stride, mode, gradient, bonus, rule)
        # B_im in a loop of its own: its rows and those of B_re may lie 4096 bytes apart (`layout`).
        for i in range(n):
            d_re, d_im = memory[delta_ + i], memory[delta_ + n + i]
            e_re, e_im = memory[epsilon_ + i], memory[epsilon_ + n + i]
            for j in range(inputs):
                k = i * inputs + j
                re, im = memory[t_re + k], memory[t_im + k]
                gradient, bonus = -(d_re * im + d_im * re), -(e_re * im + e_im * re)
                size += td_step(memory, b_im + k, stride, mode, gradient, bonus, rule)
        size += td_outer(memory, c_re, outputs, n, d_y, e_y, state, ONE, stride, mode, rule)
        size += td_outer(memory, c_im, outputs, n, d_y, e_y, state + n, -ONE, stride, mode, rule)
        size += td_outer(memory, direct, outputs, inputs, d_y, e_y, newest, ONE, stride, mode, rule)
        size += td_outer(memory, weight, head, outputs, d_out, e_out, y, ONE, stride, mode, rule)
        size += td_vector(memory, bias, head, d_out, e_out, stride, mode, rule)
        finish(memory, hyper, total, stride, mode, size)
        restore(control)
        return size

    return Kernels(forward, learn)
