"""Runs of an experiment: in parallel, resumable, one JSON line each."""

import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any


def fingerprint(job: Mapping[str, Any]) -> str:
    """Identifies a job by everything that decides its result."""
    return hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:16]


def load_runs(path: Path) -> dict[str, dict[str, Any]]:
    """The runs written down so far, by fingerprint; a line cut short by a crash is ignored."""
    runs = {}
    if path.is_file():
        for line in path.read_text().splitlines():
            try:
                run = json.loads(line)
                runs[run['fingerprint']] = run
            except (ValueError, KeyError):
                continue
    return runs


def run_all(
    function: Callable[[dict[str, Any]], dict[str, Any]], jobs: Sequence[dict[str, Any]],
    path: Path, workers: int, on_run: Callable[[int, int], None] = lambda done, total: None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Run `function(job)` for every job that `path` does not hold yet; results in order of jobs.

    Each result is a JSON object and becomes a line {"fingerprint", "job", "result"} of `path`.
    Jobs and function must be picklable; every job runs in a process of its own pool, seeded by its
    own contents, so that neither the order nor the number of workers changes a result.

    When a job fails, those that run already are still completed and written down, then its
    exception is raised. An interrupt ends at once what runs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _end_last_line(path)
    known = load_runs(path)
    missing = [job for job in jobs if fingerprint(job) not in known]
    done = len(jobs) - len(missing)
    on_run(done, len(jobs))
    waiting = iter(missing)
    failure: BaseException | None = None
    with _process_pool(workers) as pool, path.open('a') as lines:
        running = {pool.submit(function, job): job for job in islice(waiting, workers)}
        while running:
            finished, _ = concurrent.futures.wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                job = running.pop(future)
                error = future.exception()
                if error is not None:
                    failure = failure or error
                    continue
                key = fingerprint(job)
                run = {'fingerprint': key, 'job': job, 'result': future.result()}
                known[key] = run
                done += 1
                lines.write(json.dumps(run) + '\n')
                lines.flush()
                on_run(done, len(jobs))
            if failure is None:  # handed out one by one: a pool computes all that it was given
                more = islice(waiting, workers - len(running))
                running |= {pool.submit(function, job): job for job in more}
    if failure is not None:
        raise failure
    return [known[fingerprint(job)]['result'] for job in jobs]


def _end_last_line(path: Path) -> None:
    """A line that was cut short stays by itself: the next one is not glued onto it."""
    if path.is_file() and path.stat().st_size:
        with path.open('rb+') as file:
            file.seek(-1, 2)
            if file.read(1) != b'\n':
                file.write(b'\n')


@contextmanager
def _process_pool(workers: int) -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    """Processes that are ended with what they run when an exception leaves the block."""
    others = multiprocessing.active_children()
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, multiprocessing.get_context('spawn'), _follow_parent
    )
    try:
        yield pool
    except BaseException:
        # a pool waits for what runs, here or at the exit of the interpreter: so nothing must run
        for process in multiprocessing.active_children():
            if process not in others:
                process.terminate()
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def _follow_parent() -> None:
    """Ctrl-C goes to every process of the terminal; a worker would take it for a failed job.

    A parent that was killed ends nobody: without it a worker would wait for jobs for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
