"""Speed and memory of the learner: `rtrrl bench`.

| module | what it measures |
|---|---|
| `cells.kernels.benchmark` | one update of one network, and the floor of its memory traffic |
| `reference` | the same update in torch |
| `agent_step` | a whole agent step: act, then learn |
| `encoder` | camera image to features |
| `memory` | bytes per network, peak of the process |
| `conditions` | what is done so that nothing else is measured |
| `goals` | the limits |
| `suite` | all of it, in order |
| `report` | all of it, as numbers |
| `tables` | all of it, to read |

Keys of `--json`; times are objects {p50_us, p99_us, p999_us, max_us} in
microseconds, sizes in bytes:

    conditions  machine, processor, python, numpy, torch, numba: text
                core: the one that everything ran on, or null
                load_before, load_after: processes that wanted to run, mean of a minute
                preemptions: how often another process took the core away meanwhile
    networks    [{cell, input_size, hidden_size, optimizer, steps, bytes (read or written by one
                update), update: times, floor: times, ratio (of the medians), spread (p99 / p50 of
                the update), torch_p50_us (null without --reference)}]
    agents      [{cell, input_size, hidden_size, steps, act: times, learn: times, step: times}]
    encoder     {model, image: [height, width, channels], features, steps, forward: times}
    memory      {peak_before (of the process with its libraries), peak (at the end), networks:
                [{cell, input_size, hidden_size, parameters (a number), weights, adam,
                eligibility, trace, origin, other, total}]}
    goals       [{goal, limit, unit, value, met, obstacle (text; empty if met or unknown)}], those
                whose value was measured
"""
