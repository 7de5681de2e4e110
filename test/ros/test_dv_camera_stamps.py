"""What dv_camera_node publishes is stamped with when it was sensed, however late it comes."""

import sys

import pytest
from event_camera_msgs.msg import EventPacket

from rtrrl_ros.nodes.event_messages import event_packet
from rtrrl_ros.nodes.messages import stamp_ns
from rtrrl_ros.nodes.qos import EVENTS
from rtrrl_ros.perception.events.packets import PacketSource

WIDTH, HEIGHT = 64, 48

#: The node with a source of our own, which has one event in 5 ms. What it keeps back for more than
#: 0.45 s is in column 1.
PROGRAM = """
import sys, threading, time
import numpy as np
from rtrrl_ros.nodes import dv_camera_node
from rtrrl_ros.perception.events.contract import EventBatch, EventSource, SourceCounters

STEP_MS = 5

def batch(times_ms, column):
    t_us = 1000 * np.array(times_ms, np.int64) + 7_000_000
    x = np.full(len(t_us), column, np.uint16)
    return EventBatch(t_us, x, x, x.astype(bool), 64, 48)

class Source(EventSource):
    width, height = 64, 48

    def __init__(self, *options):
        pass

    def open(self):
        self.counters = SourceCounters()
        self._begun_s, self._at_ms, self._calls = time.monotonic(), 0, 0
        self.begin()

    def begin(self):
        pass

    def close(self):
        pass

    def now_ms(self):
        return 1e3 * (time.monotonic() - self._begun_s)

    def next_batch(self, timeout_s=0.0):
        if self._at_ms > self.ready_ms():
            return EventBatch.empty(64, 48)
        at_ms, self._at_ms = self._at_ms, self._at_ms + STEP_MS
        return batch([at_ms], 1500 < at_ms % 2000 <= 1550)

class Stream(Source):
    # of every 2 s the last half second comes at the end, at once
    def ready_ms(self):
        now_ms = self.now_ms()
        return now_ms - max(0.0, now_ms % 2000 - 1500)

class Slipping(Source):
    # as long as it was not reopened, sensor time stands still for 0.2 s
    opened = 0

    def begin(self):
        Slipping.opened += 1

    def ready_ms(self):
        now_ms = self.now_ms()
        return now_ms if Slipping.opened > 2 else min(now_ms, max(1000, now_ms - 200))

class Recording(Source):
    # batches of 0.1 s, of which every tenth takes half a second to read
    def next_batch(self, timeout_s=0.0):
        self._calls += 1
        slow = self._calls % 10 == 0
        if slow:
            threading.Event().wait(0.5)
        at_ms, self._at_ms = self._at_ms, self._at_ms + 100
        times_ms = np.arange(at_ms, at_ms + 100, STEP_MS)
        found = batch(times_ms, 0)
        found.x[:50 // STEP_MS] = slow
        return found

kind = globals()[sys.argv[1]]
dv_camera_node.NetworkSource = dv_camera_node.Aedat4Source = kind
dv_camera_node.main()
"""


class Rig:
    """The node with one of these sources.

    Attributes
    ----------
    stamps : of all packets heard
    ages_s : of those with events in column 0 and in column 1, when they were sent
    """

    def __init__(self, graph, kind, **parameters):
        self.graph = graph
        self._heard = graph.collect_timed(EventPacket, '/event_camera/events', EVENTS)
        self._source = PacketSource(WIDTH, HEIGHT)
        self._source.open()
        self.stamps, self.ages_s = [], ([], [])
        words = [word for k, v in parameters.items() for word in ('-p', f'{k}:={v}')]
        program = [sys.executable, '-c', PROGRAM, kind]
        self.process = graph.run([*program, '--ros-args', *words])

    def until(self, column, count, what):
        """Until there were so many packets with events in this column."""
        self.graph.until(lambda: self._take() or len(self.ages_s[column]) >= count, what)

    def _take(self):
        for sent_s, message in self._heard:
            self.stamps.append(stamp_ns(message))
            batch = self._source.feed(event_packet(message))
            for column, ages_s in enumerate(self.ages_s):
                if batch is not None and column in batch.x:
                    ages_s.append(sent_s - 1e-9 * self.stamps[-1])
        self._heard.clear()

    def said(self, text):
        return text in self.graph.output(self.process)


@pytest.mark.parametrize(('kind', 'source'), [('Stream', 'address'), ('Recording', 'file')])
def test_what_a_stall_kept_back_is_stamped_as_old_as_it_is(graph, kind, source):
    rig = Rig(graph, kind, poll_ms=2, **{source: 'somewhere'})
    rig.until(1, 5, 'what was kept back')
    rig.until(0, 200, 'what came in time')
    fresh_s, old_s = rig.ages_s
    assert min(old_s) > 0.4
    assert -0.001 < min(fresh_s) < 0.05  # and never of the future
    assert rig.stamps == sorted(rig.stamps)


def test_a_sensor_whose_time_has_slipped_is_never_fresh_until_it_is_reopened(graph):
    rig = Rig(graph, 'Slipping', address='somewhere')
    rig.until(0, 1, 'a packet')
    graph.until(lambda: rig.said('all events come late'), 'the node to notice')
    rig.until(0, 1, 'what it sent until then')
    ages_s = list(rig.ages_s[0])
    slipped = next(k for k, age_s in enumerate(ages_s) if age_s > 0.15)
    assert len(ages_s) > slipped + 20 and min(ages_s[slipped:]) > 0.15
    rig.until(0, len(ages_s) + 20, 'packets again')
    assert min(rig.ages_s[0][len(ages_s) :]) < 0.05
