"""`rtrrl replay BAG --learner CONFIG`: another learner over the same drive."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--learner and --png; the rest is shared, see `replay_exact.add_arguments`."""
    group = parser.add_argument_group('another learner over the same drive (--learner)')
    group.add_argument(
        '--learner', action='append', metavar='CONFIG',
        help='ROS parameter file, or K=V for one parameter of the learner, or reward.K=V for one '
        'of the reward; may be given several times, later ones count',
    )  # fmt: skip
    group.add_argument('--png', metavar='FILE', help='--learner: draw the result there')


def run(options: argparse.Namespace) -> int:
    """Exit status 0."""
    raise NotImplementedError
