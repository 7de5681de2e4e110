"""Recurrent driving policies fine-tuned while they drive, by real-time recurrent RL."""

__version__ = '0.1.0'
