"""`rtrrl run`: placeholder until the graph lands."""
import argparse


def add_parser(commands: argparse._SubParsersAction) -> None:
    pass
