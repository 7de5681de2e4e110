"""The nodes that only a real car needs, over the real middleware."""

import socket

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rtrrl_msgs.msg import Features, Reward

from rtrrl_ros.nodes.event_messages import event_packet
from rtrrl_ros.nodes.messages import features_message, reward_signal, stamp_ns
from rtrrl_ros.nodes.odometry import odometry_message
from rtrrl_ros.nodes.qos import EVENTS, RECORD, STREAM
from rtrrl_ros.perception.events.conformance import HEIGHT, WIDTH, random_events
from rtrrl_ros.perception.events.packets import PacketSource
from rtrrl_ros.tracking.reference_line import (
    ReferenceLine,
    load_reference_line,
    save_reference_line,
)
from rtrrl_ros.worlds.line import LineConfig, LineExpert, LineExpertConfig, LineWorld
from rtrrl_ros.worlds.rewards import RewardConfig, RewardFunction

STEPS = 60
REWARD = {'kind': 'closeness', 'closeness_m': 0.15, 'scale': 0.1}


@pytest.fixture(scope='module')
def course(tmp_path_factory):
    """Odometry and states of the line world, and the line as a file."""
    world = LineWorld(LineConfig(), seed=1)
    expert = LineExpert(world, LineExpertConfig.human(), seed=1)
    path = tmp_path_factory.mktemp('line') / 'line.csv'
    save_reference_line(path, ReferenceLine.of(world.centre_line.points))
    observation, course = world.reset(0), []
    for _ in range(STEPS):
        state = observation.state
        rate = world.car.yaw_rate_rad_s
        pose = odometry_message(state.stamp_ns, world.car.pose, state.speed_m_s, rate)
        course.append((state, pose))
        observation = world.step(expert.act(observation.stamp_ns))
    return path, course


def features(stamp):
    return features_message(stamp, 0, np.zeros(4, np.float32))


class Rig:
    """track_reward_node with the test as encoder and odometry."""

    def __init__(self, graph, path, kind=Odometry, topic='odom', **parameters):
        self.graph = graph
        self.rewards = graph.collect(Reward, 'reward', RECORD)
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics', STREAM)
        self.features = graph.publisher(Features, 'features', STREAM)
        self.poses = graph.publisher(kind, topic, STREAM)
        self.process = graph.start('track_reward_node', reference=str(path), **REWARD, **parameters)
        graph.until_matched()
        self.until_heard()

    def until_heard(self):
        """Until the node is active and has said so."""
        self.graph.until(lambda: self.statuses(), 'diagnostics')

    def statuses(self):
        return [status for message in self.diagnostics for status in message.status]


def test_rewards_of_odometry_are_those_of_the_world(graph, course):
    path, steps = course
    rig = Rig(graph, path, patience_s=2.0)
    for state, pose in steps:
        rig.features.publish(features(state.stamp_ns))
        rig.poses.publish(pose)
    graph.until(lambda: len(rig.rewards) >= STEPS, 'all rewards')
    function = RewardFunction(RewardConfig(**REWARD))
    for message, (state, _) in zip(rig.rewards, steps, strict=True):
        signal = reward_signal(message)
        assert (signal.stamp_ns, signal.step_type) == (state.stamp_ns, state.step_type)
        assert signal.lateral_error_m == pytest.approx(state.lateral_error_m, abs=1e-3)
        assert signal.reward == pytest.approx(function.reward(state), abs=1e-3)
        assert signal.task_reward == pytest.approx(state.task_reward, abs=2e-3)
    rig.features.publish(features(steps[7][0].stamp_ns))
    graph.until(lambda: len(rig.rewards) > STEPS, 'the same again')
    assert rig.rewards[-1] == rig.rewards[7]


def test_a_clock_that_was_set_back_does_not_silence_the_reward(graph, course):
    path, steps = course
    rig = Rig(graph, path, patience_s=0.2)
    rig.features.publish(features(steps[-1][0].stamp_ns + 3600 * 10**9))  # never has a pose
    for state, pose in steps:
        rig.features.publish(features(state.stamp_ns))
        rig.poses.publish(pose)
    graph.until(lambda: len(rig.rewards) >= STEPS, 'all rewards')
    assert [stamp_ns(m) for m in rig.rewards] == [state.stamp_ns for state, _ in steps]


def test_without_a_pose_there_is_no_reward_and_never_zero(graph, course):
    path, steps = course
    rig = Rig(graph, path, patience_s=0.2, max_gap_s=0.05)
    for k, (state, pose) in enumerate(steps):
        if not 20 <= k < 40:
            rig.poses.publish(pose)
        rig.features.publish(features(state.stamp_ns))
    late = steps[-1][0].stamp_ns + 500_000_000
    rig.features.publish(features(late))
    graph.until(lambda: len(rig.rewards) >= STEPS - 20, 'rewards where the pose is known')
    graph.for_seconds(0.6)
    stamps = [stamp_ns(message) for message in rig.rewards]
    expected = [state.stamp_ns for k, (state, _) in enumerate(steps) if not 20 <= k < 40]
    assert stamps == expected
    graph.until(
        lambda: any('no pose for' in status.message for status in rig.statuses()), 'an error'
    )


def test_poses_of_a_localisation_do_as_well(graph, course):
    path, steps = course
    rig = Rig(graph, path, PoseStamped, 'pose', pose_source='pose', patience_s=2.0)
    for state, odometry in steps[::2]:  # at half the rate of the features
        rig.poses.publish(PoseStamped(header=odometry.header, pose=odometry.pose.pose))
        rig.features.publish(features(state.stamp_ns))
    for state, _ in steps[1:-1:2]:
        rig.features.publish(features(state.stamp_ns))
    graph.until(lambda: len(rig.rewards) >= STEPS // 2, 'rewards')
    by_stamp = {state.stamp_ns: state for state, _ in steps}
    for message in rig.rewards:
        true = by_stamp[stamp_ns(message)]
        assert message.lateral_error_m == pytest.approx(true.lateral_error_m, abs=2e-3)


@pytest.mark.parametrize(
    ('executable', 'parameters', 'said'),
    [
        ('track_reward_node', {}, 'name the CSV file'),
        ('track_reward_node', {'reference': '/no/such.csv'}, 'record one with line_recorder_node'),
        ('frame_reward_node', {'kind': 'line'}, 'a frame alone tells no progress'),
        ('line_recorder_node', {'out': '/no/such/line.csv'}, 'no such folder'),
        ('dv_camera_node', {'file': '/no/such.aedat4'}, 'no such file'),
        ('dv_camera_node', {'file': 'a', 'serial': 'b'}, 'give one of serial, file and address'),
        ('dv_camera_node', {}, 'no iniVation camera could be opened'),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(graph, executable, parameters, said):
    if executable == 'dv_camera_node':
        pytest.importorskip('dv_processing')
    process = graph.start(executable, **parameters)
    assert graph.exit_status(process) == 2
    assert said in graph.output(process).splitlines()[-1]
    assert 'Traceback' not in graph.output(process)


def test_a_lap_is_recorded_and_the_node_ends(graph, tmp_path):
    out = tmp_path / 'line.csv'
    poses = graph.publisher(Odometry, 'odom', STREAM)
    diagnostics = graph.collect(DiagnosticArray, '/diagnostics', STREAM)
    process = graph.start('line_recorder_node', out=str(out))
    graph.until_matched()
    graph.until(lambda: diagnostics, 'an active node')
    for k in range(240):
        angle = 2.0 * np.pi * k / 200.0
        pose = np.array([np.cos(angle), np.sin(angle), angle + 0.5 * np.pi])
        poses.publish(odometry_message((k + 1) * 20_000_000, pose, 1.5, 1.0))
        if k % 20 == 0:
            graph.for_seconds(0.05)
    assert graph.exit_status(process) == 0
    line = load_reference_line(out)
    assert line.length_m == pytest.approx(2.0 * np.pi, rel=0.02)
    assert line.speed_m_s == pytest.approx(1.5, abs=0.01)


def decoded(messages):
    """The events in packets, as columns."""
    source = PacketSource(WIDTH, HEIGHT)
    source.open()
    batches = [source.feed(event_packet(message)) for message in messages]
    assert source.counters.lost_packets == 0
    found = [batch for batch in batches if batch is not None]
    return [np.concatenate([getattr(b, name) for b in found]) for name in ('x', 'y', 'polarity')]


def test_a_recording_is_played_as_packets(graph, tmp_path):
    dv = pytest.importorskip('dv_processing')
    events = random_events(4000, span_us=300_000)
    config = dv.io.MonoCameraWriter.EventOnlyConfig('camera', (WIDTH, HEIGHT))
    path = tmp_path / 'events.aedat4'
    writer = dv.io.MonoCameraWriter(str(path), config)
    writer.writeEvents(store_of(dv, events))
    del writer
    packets = graph.collect(EventPacket, '/event_camera/events', EVENTS)
    process = graph.start('dv_camera_node', autostart=True, file=str(path), rate=0.1)
    graph.until(lambda: process.poll() is not None, 'the end of the recording')
    assert process.returncode == 0, graph.output(process)
    assert len(packets) > 100
    assert [message.seq for message in packets] == list(range(packets[0].seq, packets[-1].seq + 1))
    found = decoded(packets)
    for column, name in zip(found, ('x', 'y', 'polarity'), strict=True):
        true = getattr(events, name)
        assert np.array_equal(column, true[len(true) - len(column) :])
    assert len(found[0]) > 0.5 * len(events)  # the first packets may pass before we are heard


def store_of(dv, events):
    store = dv.EventStore()
    columns = events.t_us, events.x, events.y, events.polarity
    for t, x, y, on in zip(*(column.tolist() for column in columns), strict=True):
        store.push_back(t, x, y, on)
    return store


SENDER = """
import sys, time, datetime
import dv_processing as dv
writer = dv.io.NetworkWriter('127.0.0.1', int(sys.argv[1]),
                             dv.io.Stream.EventStream(0, 'events', 'camera', (64, 48)))
t = 1_000_000
while True:
    store = dv.EventStore()
    for k in range(10):
        store.push_back(t + k, k, k, True)
    t += 5000
    writer.writeEvents(store)
    time.sleep(0.005)
"""


def test_a_camera_that_goes_and_comes_back(graph):
    """The sender on a local socket stands for the camera and its cable."""
    pytest.importorskip('dv_processing')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]

    def sender():
        import sys

        return graph.run([sys.executable, '-c', SENDER, str(port)])

    def listening():
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', port)) == 0

    packets = graph.collect(EventPacket, '/event_camera/events', EVENTS)
    diagnostics = graph.collect(DiagnosticArray, '/diagnostics', STREAM)
    first = sender()
    graph.until(listening, 'the sender')
    process = graph.start('dv_camera_node', address='127.0.0.1', port=port)
    graph.until(lambda: len(packets) > 5, 'packets')
    assert (packets[0].width, packets[0].height, packets[0].encoding) == (64, 48, 'evt3')
    first.kill()

    def said(text):
        return any(text in status.message for m in diagnostics for status in m.status)

    graph.until(lambda: said('looking for it once a second'), 'an error')
    assert process.poll() is None
    count = len(packets)
    sender()
    graph.until(lambda: len(packets) > count + 5, 'packets again')
    assert min(message.seq for message in packets[count:]) == 0  # as a driver that began anew
