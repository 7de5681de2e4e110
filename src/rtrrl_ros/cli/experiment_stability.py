"""`rtrrl experiment stability`."""

import argparse
from pathlib import Path

from .experiment_options import add_experiment_options, out_folder, seeds_of
from .options import learner_help, parse_overrides, positive_int


def add_parser(names: argparse._SubParsersAction) -> None:
    parser = names.add_parser(
        'stability',
        help='where learning is stable: lambda x learning rate, a map for each task',
        description='Learns from scratch for every pair of lambda and factor of both learning '
        'rates of config/pomdp.yaml and draws where it ends.',
        epilog=learner_help() + '\n\nExample: rtrrl experiment stability --task CartPole-pos',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--task', action='append', metavar='TASK',
        help='may be given several times; default: MemoryChain-16 and CartPole-pos',
    )  # fmt: skip
    parser.add_argument(
        '--cell', choices=('lru', 'lrcssm', 'ctrnn'), default='lru', help='default lru'
    )
    parser.add_argument('--config', type=Path, metavar='FILE', help='default config/pomdp.yaml')
    parser.add_argument(
        '--steps', type=positive_int, default=300_000, help='of the environment; default 300000'
    )
    add_experiment_options(parser, seeds=3)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ..experiments import pomdp, stability
    from ..resources import find_resource
    from .progress import Stages

    overrides = parse_overrides(options.overrides) | {'steps': options.steps}
    path = options.config or find_resource('config', 'pomdp.yaml')
    settings, out = pomdp.load_settings(path, overrides), out_folder(options)
    with Stages() as stages:
        stability.run(
            out, settings, tasks=options.task or stability.TASKS, cell=options.cell,
            seeds=seeds_of(options), workers=options.workers,
            on_run=lambda d, n: stages.update('runs', d, n),
        )  # fmt: skip
    print((out / 'table.md').read_text(), end='')
    print(f'wrote {out}/runs.jsonl, {out}/table.md and {out}/stability.png')
    return 0
