"""A recorded run once more, without a graph: exactly as it was, or with another learner."""
