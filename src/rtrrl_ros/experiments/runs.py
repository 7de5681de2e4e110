"""Runs of an experiment: in parallel, resumable, one JSON line each."""

import concurrent.futures
import hashlib
import json
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
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
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    known = load_runs(path)
    missing = [job for job in jobs if fingerprint(job) not in known]
    done = len(jobs) - len(missing)
    on_run(done, len(jobs))
    context = multiprocessing.get_context('spawn')
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {pool.submit(function, job): job for job in missing}
        with path.open('a') as lines:
            for future in concurrent.futures.as_completed(futures):
                job = futures[future]
                key = fingerprint(job)
                run = {'fingerprint': key, 'job': job, 'result': future.result()}
                known[key] = run
                done += 1
                lines.write(json.dumps(run) + '\n')
                lines.flush()
                on_run(done, len(jobs))
    return [known[fingerprint(job)]['result'] for job in jobs]
