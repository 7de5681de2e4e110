"""Time of one learning step of one network for each cell and size, beside the memory floor.

    OMP_NUM_THREADS=1 python benchmarks/cells/update_time.py --json update_time.json

Prints a Markdown table; `--reference` adds the same step in torch, `--steps` its length.
"""

import argparse
import dataclasses
import json
import platform
import time
from pathlib import Path

import numpy as np
import torch

from rtrrl_ros.cells import make_cell
from rtrrl_ros.cells.kernels.benchmark import Measurement, measure
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.learning.network import Network
from rtrrl_ros.learning.reference import ReferenceNetwork
from rtrrl_ros.learning.td_network import update_rule

SIZES = ((32, 32), (64, 64), (64, 128), (64, 256), (64, 512))
CELLS = ('lrcssm', 'lru', 'ctrnn')


def measure_reference(cell: str, inputs: int, units: int, steps: int = 1000) -> float:
    """Median time in microseconds of the same step in torch: `ReferenceNetwork`."""
    torch.set_num_threads(1)
    network = Network(make_cell(cell, inputs, units, seed=0), head_size=1, seed=0)
    learner = ReferenceNetwork(network, update_rule(LearnerConfig(), 'actor'))
    x, d_out, times = np.ones(inputs, np.float32), np.ones(1, np.float32), []
    for _ in range(steps):
        start = time.perf_counter_ns()
        learner.step(x)
        learner.learn(d_out, 0.1)
        times.append(time.perf_counter_ns() - start)
    return float(np.median(times)) / 1e3


def row(result: Measurement, reference_us: float | None) -> str:
    """One line of the table."""
    update, floor = result.update, result.floor
    cells = [
        result.cell,
        str(result.input_size),
        str(result.hidden_size),
        f'{result.bytes / 1024:.0f}',
        *(f'{value:.1f}' for value in dataclasses.astuple(update)),
        *(f'{value:.1f}' for value in dataclasses.astuple(floor)),
        '' if reference_us is None else f'{reference_us:.0f}',
    ]
    return '| ' + ' | '.join(cells) + ' |'


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=100_000)
    parser.add_argument('--cell', choices=CELLS, action='append')
    parser.add_argument('--size', metavar='INPUTS,UNITS', action='append')
    parser.add_argument('--reference', action='store_true', help='time the torch form as well')
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    sizes = [tuple(map(int, text.split(','))) for text in arguments.size or []] or SIZES
    print(f'{platform.machine()}, {arguments.steps} updates each, microseconds')
    print('| cell | inputs | units | KiB | p50 | p99 | p99.9 | max ', end='')
    print('| floor p50 | p99 | p99.9 | max | torch p50 |')
    print('|---' * 13 + '|')
    results = []
    for cell in arguments.cell or CELLS:
        for inputs, units in sizes:
            result = measure(cell, inputs, units, arguments.steps)
            reference = measure_reference(cell, inputs, units) if arguments.reference else None
            print(row(result, reference), flush=True)
            results.append(dataclasses.asdict(result) | {'reference_p50_us': reference})
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + '\n')


if __name__ == '__main__':
    main()
