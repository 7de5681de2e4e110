"""`rtrrl experiment pomdp`."""

import argparse
from pathlib import Path

from .experiment_options import add_experiment_options, out_folder, seeds_of
from .options import learner_help, parse_overrides, positive_int


def add_parser(names: argparse._SubParsersAction) -> None:
    parser = names.add_parser(
        'pomdp',
        help="the method's own tasks from scratch, beside the published numbers",
        description='Cell x task x seed from scratch with one set of values (config/pomdp.yaml), '
        'with early stopping, beside the numbers of arXiv 2311.04830.',
        epilog=learner_help()
        + '\n\nExample: rtrrl experiment pomdp --task MemoryChain-64 --cell lru --seeds 5',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--task', action='append', metavar='TASK', help='may be given several times; default: all'
    )
    parser.add_argument(
        '--cell', action='append', choices=('lru', 'lrcssm', 'ctrnn'),
        help='may be given several times; default: all',
    )  # fmt: skip
    parser.add_argument('--config', type=Path, metavar='FILE', help='default config/pomdp.yaml')
    parser.add_argument('--steps', type=positive_int, help='of the environment at most')
    add_experiment_options(parser, seeds=5)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..experiments import pomdp
    from ..resources import find_resource
    from .progress import Stages

    overrides = parse_overrides(options.overrides)
    if options.steps:
        overrides['steps'] = options.steps
    path = options.config or find_resource('config', 'pomdp.yaml')
    settings, out = pomdp.load_settings(path, overrides), out_folder(options)
    with Stages() as stages:
        pomdp.run(
            out, settings, tasks=options.task or pomdp.TASKS,
            cells=options.cell or ['lru', 'lrcssm', 'ctrnn'], seeds=seeds_of(options),
            workers=options.workers, on_run=lambda d, n: stages.update('runs', d, n),
        )  # fmt: skip
    print((out / 'table.md').read_text(), end='')
    print(f'wrote {out}/runs.jsonl, {out}/table.md and {out}/curves.png')
    return 0
