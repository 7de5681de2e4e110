"""All measurements, one after the other, under the same conditions."""

from collections.abc import Callable, Sequence

from ..cells.kernels.benchmark import Measurement, measure
from .agent_step import measure_agent
from .conditions import quiet
from .encoder import measure_encoder
from .goals import SIZE
from .memory import measure_memory, peak_bytes
from .reference import measure_reference
from .report import Report

SIZES = (SIZE, (64, 128), (64, 256), (64, 512))
#: One image is encoded for so many agent steps: it takes that much longer.
STEPS_PER_IMAGE = 10
#: Networks of other than the first size, which show how time grows, get this share of the steps.
SHARE = 0.1

#: called with the stage, how much of it is done, how much it is, and what is being measured
OnProgress = Callable[[str, int, int, str], None]


def run_suite(
    cells: Sequence[str], sizes: Sequence[tuple[int, int]] = SIZES, steps: int = 100_000, *,
    reference: bool = False,
    on_progress: OnProgress = lambda stage, done, total, note: None,
) -> Report:  # fmt: skip
    """Measure; agents, memory and the cost of Adam at the first of the sizes (inputs, units)."""
    few = max(1, round(SHARE * steps))
    plan = [
        (cell, *size, 'adam', steps if size == sizes[0] else few)
        for cell in cells
        for size in sizes
    ]
    plan += [(cell, *sizes[0], 'sgd', steps) for cell in cells]
    peak_before = peak_bytes()
    with quiet() as conditions:
        networks = _networks(plan, on_progress)
        agents = []
        for index, cell in enumerate(cells):

            def on_turn(done: int, index: int = index, note: str = cell) -> None:
                on_progress('agent steps', index * steps + done, len(cells) * steps, note)

            agents.append(measure_agent(cell, *sizes[0], steps, on_turn=on_turn))
        images = -(-steps // STEPS_PER_IMAGE)
        encoder = measure_encoder(
            steps=images, on_turn=lambda done: on_progress('encoder', done, images, '')
        )
        torch_us = []
        for index, (cell, inputs, units, *_) in enumerate(plan[: -len(cells)] if reference else []):
            torch_us.append(measure_reference(cell, inputs, units))
            on_progress('torch', index + 1, len(plan) - len(cells), f'{cell}, {units} units')
    memory = [measure_memory(cell, *sizes[0]) for cell in cells]
    adam, sgd = networks[: -len(cells)], networks[-len(cells) :]
    return Report(
        conditions, adam, sgd, torch_us, agents, encoder, memory, peak_before, peak_bytes()
    )


def _networks(
    plan: list[tuple[str, int, int, str, int]], on_progress: OnProgress
) -> list[Measurement]:
    """Every update of the plan; the work of a stage counts in inputs times units, as time does."""
    results, done = [], 0
    total = sum(inputs * units * steps for _, inputs, units, _, steps in plan)
    for cell, inputs, units, optimizer, steps in plan:
        note = f'{cell}, {inputs} inputs, {units} units, {optimizer}'

        def on_turn(
            count: int, before: int = done, size: int = inputs * units, note: str = note
        ) -> None:
            on_progress('updates', before + size * count, total, note)

        on_turn(0)  # before it is compiled, if it is not yet on disk
        results.append(measure(cell, inputs, units, steps, optimizer=optimizer, on_turn=on_turn))
        done += inputs * units * steps
    return results
