"""The encoder's forward pass on one event frame: as trained (torch) and as driven (frozen).

    python benchmarks/perception/encoder_forward.py --model models/line-lrcssm

Both in one run and in turns: warm, one frame right after the other, and cold, with pauses as on a
car, where other work has had the caches meanwhile.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rtrrl_ros.driving.assembly import load_event_pipeline, load_frame_encoder, single_threaded

FRAMES = 64
WARM_UP = 100


def timed(encode: Callable[[np.ndarray], np.ndarray], frame: np.ndarray, pause_s: float) -> float:
    """Time of one pass in ms."""
    time.sleep(pause_s)
    start_s = time.perf_counter()
    encode(frame)
    return 1e3 * (time.perf_counter() - start_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--model', type=Path, required=True, help='model folder of the line car')
    parser.add_argument('--steps', type=int, default=2000)
    options = parser.parse_args()
    single_threaded()
    frozen, module = load_event_pipeline(options.model).encoder, load_frame_encoder(options.model)
    assert frozen is not None
    frames = np.random.default_rng(0).random((FRAMES, *frozen.shape), np.float32)
    for name, pause_s, steps in (('warm', 0.0, options.steps), ('cold', 0.008, options.steps // 4)):
        times_ms = np.array(
            [
                [timed(e.encode, frames[k % FRAMES], pause_s) for e in (module, frozen)]
                for k in range(WARM_UP + steps)
            ]
        )[WARM_UP:]
        (p50, fast_p50), (p99, fast_p99) = np.percentile(times_ms, (50, 99), axis=0)
        print(
            f'{name}: module p50 {p50:.3f} p99 {p99:.3f} ms, frozen p50 {fast_p50:.3f} '
            f'p99 {fast_p99:.3f} ms, ratio of the medians {p50 / fast_p50:.1f}'
        )


if __name__ == '__main__':
    main()
