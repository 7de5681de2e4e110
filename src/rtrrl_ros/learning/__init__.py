"""Real-time recurrent reinforcement learning: networks, traces, update rule, optimisers, guard."""
