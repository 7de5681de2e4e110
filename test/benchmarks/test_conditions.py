"""Measuring conditions hold inside, and everything is as before outside."""

import gc
import os

import pytest
import torch

from rtrrl_ros.benchmarks.conditions import quiet


def state() -> tuple:
    return gc.isenabled(), torch.get_num_threads(), os.sched_getaffinity(0)


def test_quiet_inside_and_as_before_outside() -> None:
    before = state()
    with quiet() as conditions:
        assert not gc.isenabled()
        assert torch.get_num_threads() == 1
        assert conditions.core is not None
        assert os.sched_getaffinity(0) == {conditions.core}
    assert state() == before


def test_as_before_after_an_error() -> None:
    before = state()
    with pytest.raises(KeyboardInterrupt), quiet():
        raise KeyboardInterrupt
    assert state() == before


def test_a_system_that_refuses_to_pin_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, 'sched_setaffinity', refuse)
    with quiet() as conditions:
        assert conditions.core is None
