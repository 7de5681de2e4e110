"""Experiments: many trials in parallel, each written down as soon as it is done."""
