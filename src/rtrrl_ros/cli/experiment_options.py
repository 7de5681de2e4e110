"""Options that every experiment has."""

import argparse
import os
from pathlib import Path

from ..errors import UserError
from .options import makeable, positive_int, seed_int


def add_experiment_options(parser: argparse.ArgumentParser, seeds: int) -> None:
    """--seeds, --first-seed, --set, --out, --workers."""
    parser.add_argument(
        '--seeds', type=positive_int, default=seeds, metavar='N', help=f'default {seeds}'
    )
    parser.add_argument('--first-seed', type=seed_int, default=0, help='default 0')
    parser.add_argument(
        '--set', action='append', default=[], dest='overrides', metavar='K=V',
        help='replace a parameter of the learner',
    )  # fmt: skip
    parser.add_argument('--out', type=Path, metavar='DIR', help='default results/NAME')
    parser.add_argument(
        '--workers', type=positive_int, default=os.cpu_count() or 1, help='default: one per core'
    )


def seeds_of(options: argparse.Namespace) -> list[int]:
    """The seeds asked for."""
    return list(range(options.first_seed, options.first_seed + options.seeds))


def out_folder(options: argparse.Namespace) -> Path:
    """Where the results go; fails where they cannot."""
    out = options.out or Path('results') / options.name
    if os.path.lexists(out) and not out.is_dir():
        raise UserError(f'--out {out}: is no folder')
    makeable(out)
    return out
