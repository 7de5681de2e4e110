"""Counting laps on a closed line."""


class LapCounter:
    """Counts crossings of the start line in driving direction.

    The start line is where counting began. What counts is the way along the line, backwards taken
    off, so that a car that rolls back and forth over the start line has driven one lap and not
    three. What is driven beyond the line belongs to the next lap: the start line stays where it is.

    Parameters
    ----------
    length_m : of a lap

    Attributes
    ----------
    driven_m : in this lap, negative behind the start line
    laps : completed
    """

    def __init__(self, length_m: float) -> None:
        self.length_m = length_m
        self.laps = 0
        self.driven_m = 0.0

    def begin(self) -> None:
        """The start line is here."""
        self.driven_m = 0.0

    def advance(self, progress_m: float) -> bool:
        """Take note of progress since the last call; returns whether a lap is complete."""
        self.driven_m += progress_m
        if self.driven_m < self.length_m:
            return False
        self.driven_m -= self.length_m
        self.laps += 1
        return True
