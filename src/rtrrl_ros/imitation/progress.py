"""What a pretraining tells whoever shows it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Progress:
    """A stage, how far it is, a remark."""

    stage: str
    done: int
    total: int
    note: str = ''
