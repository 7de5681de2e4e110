"""The modes of the command gate, and what moves it from one to another, as data."""

import enum


class Mode(enum.IntEnum):
    """How the newest command on `drive` came about; the values are those of Executed.mode."""

    PASSED = 0
    LIMITED = 1
    TAKEOVER = 2
    STOPPED = 3


class Event(enum.Enum):
    """What can happen to the gate."""

    WITHIN = 'a proposal within every limit'
    BEYOND = 'a proposal that had to be limited'
    REFUSED = 'a proposal that cannot be trusted: not finite, stale or out of order'
    SILENCE = 'no proposal for too long'
    DEADMAN_LOST = 'the deadman is released or silent'
    HUMAN = 'a person drives'
    HUMAN_GONE = 'the person no longer drives'


# A person overrules everything. When the person lets go the car stops until the next proposal.
# Every other event decides alone: a gate that stopped starts again with the first good proposal,
# which on a car takes a pressed deadman.
TRANSITIONS: dict[tuple[Mode, Event], Mode] = {
    (Mode.PASSED, Event.WITHIN): Mode.PASSED,
    (Mode.PASSED, Event.BEYOND): Mode.LIMITED,
    (Mode.PASSED, Event.REFUSED): Mode.STOPPED,
    (Mode.PASSED, Event.SILENCE): Mode.STOPPED,
    (Mode.PASSED, Event.DEADMAN_LOST): Mode.STOPPED,
    (Mode.PASSED, Event.HUMAN): Mode.TAKEOVER,
    (Mode.PASSED, Event.HUMAN_GONE): Mode.PASSED,
    (Mode.LIMITED, Event.WITHIN): Mode.PASSED,
    (Mode.LIMITED, Event.BEYOND): Mode.LIMITED,
    (Mode.LIMITED, Event.REFUSED): Mode.STOPPED,
    (Mode.LIMITED, Event.SILENCE): Mode.STOPPED,
    (Mode.LIMITED, Event.DEADMAN_LOST): Mode.STOPPED,
    (Mode.LIMITED, Event.HUMAN): Mode.TAKEOVER,
    (Mode.LIMITED, Event.HUMAN_GONE): Mode.LIMITED,
    (Mode.TAKEOVER, Event.WITHIN): Mode.TAKEOVER,
    (Mode.TAKEOVER, Event.BEYOND): Mode.TAKEOVER,
    (Mode.TAKEOVER, Event.REFUSED): Mode.TAKEOVER,
    (Mode.TAKEOVER, Event.SILENCE): Mode.TAKEOVER,
    (Mode.TAKEOVER, Event.DEADMAN_LOST): Mode.TAKEOVER,
    (Mode.TAKEOVER, Event.HUMAN): Mode.TAKEOVER,
    (Mode.TAKEOVER, Event.HUMAN_GONE): Mode.STOPPED,
    (Mode.STOPPED, Event.WITHIN): Mode.PASSED,
    (Mode.STOPPED, Event.BEYOND): Mode.LIMITED,
    (Mode.STOPPED, Event.REFUSED): Mode.STOPPED,
    (Mode.STOPPED, Event.SILENCE): Mode.STOPPED,
    (Mode.STOPPED, Event.DEADMAN_LOST): Mode.STOPPED,
    (Mode.STOPPED, Event.HUMAN): Mode.TAKEOVER,
    (Mode.STOPPED, Event.HUMAN_GONE): Mode.STOPPED,
}
