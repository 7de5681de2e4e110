"""Online fine-tuning of recurrent driving policies by real-time recurrent reinforcement learning."""

__version__ = '0.1.0'
