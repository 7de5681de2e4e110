"""Entry point of `rtrrl`. A user's mistake ends in one line and exit status 2."""

import argparse
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import UserError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage in front of it."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f'{self.prog}: {message} (see {self.prog} --help)\n')


def build_parser() -> Parser:
    """The parser of `rtrrl` with all its sub-commands."""
    # imported here: each sub-command pulls in only light modules until it runs
    from . import (
        bench,
        demonstrate,
        evaluate,
        experiment,
        export,
        finetune,
        inspect,
        launch,
        pretrain,
        record,
        replay,
        run,
    )

    parser = Parser(
        prog='rtrrl',
        description='Recurrent driving policies that keep learning while they drive.',
        epilog='Example: rtrrl finetune car-racing --model models/car-racing-lrcssm '
        '--shift steering_offset=0.15 --json -',
    )
    parser.add_argument('--version', action='version', version=f'rtrrl {__version__}')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for module in (
        pretrain,
        demonstrate,
        evaluate,
        finetune,
        run,
        experiment,
        record,
        replay,
        inspect,
        export,
        bench,
        launch,
    ):
        module.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `rtrrl`; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except UserError as error:
        print(f'rtrrl {options.command}: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f'rtrrl {options.command}: interrupted', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
