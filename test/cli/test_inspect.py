"""`rtrrl inspect` from the outside: its documents, its pictures, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtrrl_ros.bags.message_types import MessageTypes
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.cli.main import main
from rtrrl_ros.driving.assembly import load_event_pipeline
from rtrrl_ros.perception.event_stream import EventStream
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.perception.events.packing import event_packets
from rtrrl_ros.resources import find_resource

FEATURES, EVENTS = 'rtrrl_msgs/msg/Features', 'event_camera_msgs/msg/EventPacket'
WIDTH, HEIGHT = 346, 260


def header(types: MessageTypes, step: int) -> Any:
    time = types.make(
        'builtin_interfaces/msg/Time', sec=1 + step // 100, nanosec=step % 100 * 10**7
    )
    return types.make('std_msgs/msg/Header', stamp=time, frame_id='')


def log_ns(step: int) -> int:
    return 10**18 + 10**7 * step


@pytest.fixture
def features_bag(tmp_path: Path):
    """A bag of features (N, 4): standard normal around a mean."""

    def make(name: str, mean: float, seed: int, count: int = 400, size: int = 4) -> str:
        types, values = MessageTypes(), np.random.default_rng(seed).normal(size=(count, size))
        with BagWriter(tmp_path / name) as bag:
            bag.add_topic('/features', FEATURES)
            for step, row in enumerate(values):
                data = (row + mean).astype(np.float32)
                message = types.make(FEATURES, header=header(types, step), seq=step, data=data)
                bag.write('/features', log_ns(step), types.serialize(message, FEATURES))
        return str(tmp_path / name)

    return make


def batches(seed: int, count: int = 12) -> list[EventBatch]:
    random = np.random.default_rng(seed)
    return [
        EventBatch(
            10_000 * step + np.sort(random.integers(0, 10_000, 3000)),
            random.integers(0, WIDTH, 3000).astype(np.uint16),
            random.integers(0, HEIGHT, 3000).astype(np.uint16),
            random.integers(0, 2, 3000) == 1, WIDTH, HEIGHT, until_us=10_000 * (step + 1),
        )
        for step in range(count)
    ]  # fmt: skip


@pytest.fixture
def events_bag(tmp_path: Path):
    def make(name: str, seed: int) -> str:
        types = MessageTypes()
        with BagWriter(tmp_path / name) as bag:
            bag.add_topic('/event_camera/events', EVENTS)
            for step, batch in enumerate(batches(seed)):
                (packet,) = event_packets(batch, step)
                message = types.make(
                    EVENTS, header=header(types, step), height=HEIGHT, width=WIDTH, seq=packet.seq,
                    time_base=packet.time_base_ns, encoding=packet.encoding, is_bigendian=False,
                    events=np.frombuffer(packet.events, np.uint8),
                )  # fmt: skip
                data = types.serialize(message, EVENTS)
                bag.write('/event_camera/events', log_ns(step), data)
        return str(tmp_path / name)

    return make


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that it must complain in."""
    try:
        status = main(['inspect', *arguments])
    except SystemExit as stop:  # argparse
        status = stop.code  # type: ignore[assignment]
    captured = capsys.readouterr()
    assert status == 2 and captured.out == ''
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    return lines[0]


def test_the_document_of_one_bag(capsys, tmp_path: Path, events_bag) -> None:
    picture = tmp_path / 'bag.png'
    assert main(['inspect', events_bag('bag', 0), '--json', '-', '--png', str(picture)]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)  # and nothing but it
    (topic,) = document['topics']
    assert topic['name'] == '/event_camera/events' and topic['type'] == EVENTS
    assert topic['count'] == 12 and topic['gaps'] == 0
    assert topic['rate_hz'] == pytest.approx(100.0)
    events = document['events']
    assert events['count'] == 36_000 == events['on'] + events['off']
    assert (events['width'], events['height'], events['encoding']) == (WIDTH, HEIGHT, 'evt3')
    assert events['lost_packets'] == 0
    assert events['duration_s'] == pytest.approx(0.12, abs=1e-3)
    assert events['rate_hz'] == pytest.approx(300_000, rel=0.01)
    assert 'missing' in captured.err
    assert picture.read_bytes()[:4] == b'\x89PNG'


def test_without_events_the_document_has_none(capsys, tmp_path: Path, features_bag) -> None:
    file = tmp_path / 'out.json'
    assert main(['inspect', features_bag('bag', 0.0, 0), '--json', str(file)]) == 0
    assert 'events' not in json.loads(file.read_text())
    assert '/features' in capsys.readouterr().out


def test_two_bags(capsys, tmp_path: Path, features_bag) -> None:
    a, same, other = (features_bag(*bag) for bag in (('a', 0, 0), ('b', 0, 1), ('c', 1, 2)))
    p = {}
    for name, bag in (('same', same), ('other', other)):
        file, picture = tmp_path / f'{name}.json', tmp_path / f'{name}.png'
        options = ['--permutations', '200', '--json', str(file), '--png', str(picture)]
        assert main(['inspect', a, bag, *options]) == 0
        document = json.loads(file.read_text())
        assert document['bag'] == a and document['other']['bag'] == bag
        p[name] = document['shift']['p_value']
        assert document['shift']['seed'] == 0 and document['shift']['permutations'] == 200
        assert picture.read_bytes()[:4] == b'\x89PNG'
    assert p['same'] > 0.05
    assert p['other'] == pytest.approx(1 / 201)
    assert 'not of one distribution' in capsys.readouterr().out


def test_the_same_seed_gives_the_same_document(tmp_path: Path, features_bag) -> None:
    a, b = features_bag('a', 0, 0), features_bag('b', 0, 1)
    texts = []
    for name in ('one', 'two'):
        file = tmp_path / f'{name}.json'
        options = ['--samples', '100', '--seed', '3', '--block', '0', '--json', str(file)]
        assert main(['inspect', a, b, *options]) == 0
        texts.append(file.read_text())
    assert texts[0] == texts[1]
    assert json.loads(texts[0])['shift']['samples'] == [100, 100]


def test_features_by_a_model_are_those_of_its_encoder(tmp_path: Path, events_bag) -> None:
    model = find_resource('models', 'line-lrcssm')
    bags = [events_bag('a', 0), events_bag('b', 1)]
    file = tmp_path / 'out.json'
    assert main(['inspect', *bags, '--model', str(model), '--json', str(file)]) == 0
    found = json.loads(file.read_text())['shift']
    assert found['features'] == str(model) and found['seen'] == [12, 12]
    means = []
    for seed in (0, 1):
        stream = EventStream(load_event_pipeline(model), WIDTH, HEIGHT, float('inf'), 0.0)
        rows = [
            stream.feed(packet, 10**7 * step, 0.0)
            for step, batch in enumerate(batches(seed))
            for packet in event_packets(batch, step)
        ]
        means.append(np.array(rows, np.float64))
    std = np.sqrt(0.5 * (means[0].var(0) + means[1].var(0)))
    expected = (means[1].mean(0) - means[0].mean(0)) / std
    assert found['differences'] == pytest.approx(expected.tolist(), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (('--png', '/no/such/folder/x.png'), '--png /no/such/folder/x.png: no such folder'),
        (('--json', '/no/such/folder/x.json'), '--json /no/such/folder/x.json: no such folder'),
        (('--model', 'models/line-lrcssm'), '--model is for two bags'),
        (('--block', '-1'), 'must be at least 0 s'),
        (('--block', 'nan'), 'must be at least 0 s'),
        (('--block', 'long'), '--block'),
        (('--samples', '1'), 'at least 2'),
        (('/no/such/bag',), '/no/such/bag: no such file or folder'),
    ],
)
def test_bad_options(capsys, features_bag, options: tuple[str, ...], said: str) -> None:
    assert said in complaint(capsys, features_bag('bag', 0, 0), *options)


def test_bags_that_cannot_be_compared(capsys, tmp_path: Path, features_bag, events_bag) -> None:
    features, events = features_bag('a', 0, 0), events_bag('b', 0)
    assert 'has no features' in complaint(capsys, features, events)
    model = str(find_resource('models', 'line-lrcssm'))
    assert 'which' in complaint(capsys, features, events, '--model', model)
    narrow = features_bag('c', 0, 0, size=3)
    assert 'use --model' in complaint(capsys, features, narrow).splitlines()[-1]


def test_a_file_that_is_no_bag(capsys, tmp_path: Path) -> None:
    (tmp_path / 'text.mcap').write_text('not a bag')
    assert 'text.mcap' in complaint(capsys, str(tmp_path / 'text.mcap'))
