"""A recording again as messages: at the times of the recording, or as fast as a graph answers."""
