"""Processes start, speak and end together, and a failure never looks like a success."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from rtrrl_ros.launching.node_element import NodeProcess
from rtrrl_ros.launching.processes import ESCALATION, Child, ProcessGroup

FOREVER = 'import signal, time\nprint("up")\nwhile True: time.sleep(60)'
OBEDIENT = f'import signal, sys\nsignal.signal(signal.SIGINT, lambda *a: sys.exit(0))\n{FOREVER}'
STUBBORN = f"""import signal
for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, lambda *a: print('no'))
{FOREVER}"""
QUICK = tuple((number, 0.3) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL))


def process(label: str, code: str, **options) -> NodeProcess:
    defaults = {'output': 'screen', 'shutdown_on_exit': False, 'respawn_delay_s': None}
    environment = {**os.environ, 'PYTHONUNBUFFERED': '1'}
    return NodeProcess(label, [sys.executable, '-c', code], environment, **{**defaults, **options})


class Watched:
    """A process group whose output is kept."""

    def __init__(self, *nodes: NodeProcess, escalation=ESCALATION) -> None:
        self.output: list[tuple[str, str]] = []
        self.seen: dict[str, int] = {}
        self.group = ProcessGroup(
            nodes, lambda label, line: self.output.append((label, line)), escalation
        )

    def run(self, act=lambda watched: None) -> int:
        """Run to the end; `act` is called on each poll."""

        def on_poll(pids):
            self.seen.update(pids)
            act(self)

        return self.group.run(on_poll)

    def said(self, label: str) -> list[str]:
        return [line for name, line in self.output if name == label]


def gone(pid: int) -> bool:
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except FileNotFoundError:
        return True
    return state == 'Z'  # dead, and nobody has asked yet how it ended


def ends(pid: int) -> bool:
    """Whether the process ends within ten seconds: a signal takes effect when it likes."""
    deadline_s = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return gone(pid)


def test_all_end_well():
    watched = Watched(process('a', 'print("one"); print("two")'), process('b', 'pass'))
    assert watched.run() == 0
    assert watched.said('a') == ['one', 'two']
    assert watched.said('launch') == []


@pytest.mark.parametrize('end', ['', '\\n'])
def test_lines_and_the_end_of_the_stream_that_come_in_one_read(end):
    child = Child(process('a', f'import sys; sys.stdout.write("one\\ntwo{end}")'))
    child.popen.wait(timeout=30)  # all of it lies in the pipe by then
    assert child.lines('stdout') == ['one', 'two']
    assert child.lines('stderr') == []


def test_the_last_words_are_shown_even_without_a_newline():
    watched = Watched(
        process('a', 'import sys; sys.stdout.write("unfinished"); sys.stdout.flush()')
    )
    watched.run()
    assert watched.said('a') == ['unfinished']


def test_log_shows_stderr_only():
    code = 'import sys; print("out"); print("err", file=sys.stderr)'
    watched = Watched(process('a', code, output='log'))
    watched.run()
    assert watched.said('a') == ['err']


def pair(folder: Path, end: str) -> Watched:
    """An obedient process, and a main one that ends by `end` once the other minds signals.

    Before that SIGINT would kill the other, which is a failure.
    """
    ready = str(folder / 'ready')
    other = OBEDIENT.replace('print("up")', f'open({ready!r}, "w")')
    main = f'import os, time\nwhile not os.path.exists({ready!r}): time.sleep(0.01)\n{end}'
    return Watched(process('other', other), process('main', main, shutdown_on_exit=True))


def test_the_end_of_one_ends_the_others(tmp_path):
    watched = pair(tmp_path, 'pass')
    assert watched.run() == 0
    assert gone(watched.seen['other'])


def test_a_failure_of_the_main_process_is_a_failure(tmp_path):
    watched = pair(tmp_path, 'raise SystemExit(3)')
    assert watched.run() == 1
    assert watched.said('launch') == ['main exited with status 3']


def test_a_failure_on_the_way_is_a_failure_though_the_main_process_succeeds():
    main = 'import time\ntime.sleep(0.5)'
    watched = Watched(
        process('other', 'raise SystemExit(2)'), process('main', main, shutdown_on_exit=True)
    )
    assert watched.run() == 1
    assert watched.said('launch') == ['other exited with status 2']


def test_a_killed_process_is_named():
    def kill(watched):
        if watched.said('other') and 'other' in watched.group.pids:
            os.kill(watched.group.pids['other'], signal.SIGKILL)

    watched = Watched(process('other', FOREVER, shutdown_on_exit=True))
    assert watched.run(kill) == 1
    assert watched.said('launch') == ['other was killed by SIGKILL']


def test_escalation_ends_a_stubborn_process_and_says_so():
    def stop(watched):
        if watched.said('stubborn'):
            watched.group.stop()

    watched = Watched(process('stubborn', STUBBORN), escalation=QUICK)
    assert watched.run(stop) == 1
    assert gone(watched.seen['stubborn'])
    assert watched.said('launch') == [
        'still running, sending SIGTERM: stubborn',
        'still running, sending SIGKILL: stubborn',
        'stubborn did not stop when asked and was killed',
    ]


def test_one_that_asks_for_more_time_to_end_has_it(tmp_path):
    go, polls = tmp_path / 'go', 0

    def stop(watched):
        nonlocal polls
        if watched.said('slow'):
            watched.group.stop()
            polls += 1
        if polls > 3:  # by now one that asks for nothing has been sent the next signal
            go.touch()

    slow = f"""import os, signal, sys, time
def end(*_):
    while not os.path.exists({str(go)!r}): time.sleep(0.01)
    sys.exit(0)
signal.signal(signal.SIGINT, end)
{FOREVER}"""
    patient = process('slow', slow, patience_s={signal.SIGINT: 60.0})
    escalation = ((signal.SIGINT, 0.0), *QUICK[1:])
    watched = Watched(patient, escalation=escalation)
    assert watched.run(stop) == 0
    assert watched.said('launch') == []


def test_what_a_process_started_itself_ends_with_it():
    code = f"""
        import subprocess, sys
        child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid)"""
    watched = Watched(process('parent', textwrap.dedent(code)))
    assert watched.run() == 0
    assert ends(int(watched.said('parent')[0]))


def test_respawn(tmp_path):
    def stop(watched):
        if 'up' in watched.said('a'):
            watched.group.stop()

    again = tmp_path / 'again'
    code = f"""
        import pathlib
        again = pathlib.Path({str(again)!r})
        if not again.exists():
            again.touch()
            raise SystemExit(1)"""
    watched = Watched(process('a', f'{textwrap.dedent(code)}\n{OBEDIENT}', respawn_delay_s=0.01))
    assert watched.run(stop) == 0
    assert watched.said('launch') == ['a exited with status 1: starting it again']


def test_what_cannot_be_started_fails_and_ends_the_rest():
    bad = NodeProcess('bad', ['/no/such/file'], {}, 'screen', False, None)
    watched = Watched(process('a', OBEDIENT), bad)
    assert watched.run() == 1
    assert watched.said('launch')[0] == 'bad cannot be started: No such file or directory'


LAUNCHER = f"""
import os, sys
from rtrrl_ros.launching.node_element import NodeProcess
from rtrrl_ros.launching.processes import ESCALATION, Child, ProcessGroup
node = NodeProcess('child', [sys.executable, '-c', {OBEDIENT!r}],
                   {{**os.environ, 'PYTHONUNBUFFERED': '1'}}, 'screen', False, None)
show = lambda label, line: print(label, line, group.pids.get('child'), flush=True)
group = ProcessGroup([node], show)
sys.exit(group.run())
"""


@pytest.mark.parametrize(
    ('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_no_process_outlives_the_launcher(number, status):
    launcher = subprocess.Popen([sys.executable, '-c', LAUNCHER], stdout=subprocess.PIPE, text=True)
    pid = int(launcher.stdout.readline().split()[-1])
    launcher.send_signal(number)
    assert launcher.wait(10) == status
    assert ends(pid)
    launcher.stdout.close()
