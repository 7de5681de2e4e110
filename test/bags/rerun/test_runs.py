"""Several runs in one recording are told apart."""

import dataclasses
import json

import pytest

from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.bags.rerun.exact import replay_exact
from rtrrl_ros.bags.rerun.runs import TOPIC, choose_run, recorded_runs
from rtrrl_ros.errors import UserError

LATER_NS = 3_600_000_000_000


def later(messages):
    """The same messages an hour later, as another run."""
    account = json.loads(messages[0].fields['data'])
    account['time_ns'] += LATER_NS
    first = dataclasses.replace(messages[0], fields={'data': json.dumps(account)})
    moved = [first, *messages[1:]]
    return [dataclasses.replace(m, log_ns=m.log_ns + LATER_NS) for m in moved]


def test_each_run_of_a_bag_comes_out_again(write_bag, learned, frozen):
    with open_bag(write_bag([*frozen, *later(learned)])) as bag:
        runs = recorded_runs(bag)
        assert [run.start.learn for run in runs] == [False, True]
        assert [len(run.marks) for run in runs] == [3, 3]
        for run in runs:
            report = replay_exact(bag, run)
            assert report.identical and not report.not_checked
        assert choose_run(runs, 2, bag.path) is runs[1]
        for number, said in ((None, 'choose one'), (3, 'holds 2')):
            with pytest.raises(UserError, match=said):
                choose_run(runs, number, bag.path)


def test_an_account_that_was_heard_late_belongs_to_the_whole_run(write_bag, frozen, learned):
    second = later(learned)
    heard = dataclasses.replace(second[0], log_ns=second[60].log_ns)
    messages = sorted([*frozen, heard, *second[1:]], key=lambda message: message.log_ns)
    with open_bag(write_bag(messages)) as bag:
        reports = [replay_exact(bag, run) for run in recorded_runs(bag)]
    assert all(report.identical and not report.not_checked for report in reports)


def test_an_agent_whose_clock_is_behind_takes_nothing_of_the_run_before(write_bag, frozen):
    """Half a minute behind the clock of the recorder; two runs of 20 s, 5 s apart."""
    begin_ns, s = 1_700_000_000 * 10**9, 10**9
    account = json.loads(frozen[0].fields['data'])
    mark = json.loads(next(m for m in frozen[1:] if m.topic == TOPIC).fields['data'])

    def told(fields, at_s):
        data = json.dumps({**fields, 'time_ns': begin_ns + (at_s - 30) * s})
        return dataclasses.replace(frozen[0], fields={'data': data}, log_ns=begin_ns + at_s * s)

    messages = [told(account, 0), told(mark, 20), told(account, 25), told(mark, 45)]
    with open_bag(write_bag(messages)) as bag:
        first, second = recorded_runs(bag)
    assert 20 < (second.begin_ns - begin_ns) / s <= 25
    assert first.end_ns == second.begin_ns - 1
    assert len(first.marks) == len(second.marks) == 1


def test_an_account_of_something_else_is_one_clear_line(write_bag, learned):
    bad = dataclasses.replace(learned[0], fields={'data': 'hello'})
    said = pytest.raises(UserError, match='learner_run: not an account of a run')
    with open_bag(write_bag([bad, *learned[1:]])) as bag, said:
        recorded_runs(bag)
