"""What this machine is, where that decides how fast or in which bits something computes."""

import platform
from pathlib import Path


def processor_name() -> str:
    """The name of the processor, as far as the system knows it."""
    file = Path('/proc/cpuinfo')
    lines = file.read_text().splitlines() if file.is_file() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or 'unknown'
