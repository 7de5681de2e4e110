"""The model that drove a recorded run."""

import contextlib
from pathlib import Path

from ...checkpoint import Checkpoint, load_checkpoint
from ...driving.learner_run import RunStart, file_digests
from ...errors import UserError
from ...resources import find_resource


def find_model(start: RunStart | None, given: Path | None) -> Checkpoint | None:
    """The model of a run: where it is said to be, where it was, or the shipped one of its name.

    None without a start and without a folder given.

    Raises
    ------
    UserError
        none of these is the model that the run began with
    """
    if start is None:
        return None if given is None else load_checkpoint(given)
    places = [given] if given is not None else [Path(start.model)]
    if given is None:
        with contextlib.suppress(UserError):
            places.append(find_resource('models', Path(start.model).name))
    for place in places:
        try:
            if file_digests(place) == start.files:
                return load_checkpoint(place)
        except OSError:
            continue
    raise UserError(
        f'{places[0]} is not the model that was driven with: name its folder with --model; its '
        f'model.safetensors has SHA-256 {start.files["model.safetensors"]}'
    )
