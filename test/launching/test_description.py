"""A launch file and its arguments give the processes that ROS would start."""

import dataclasses
import signal
import sys
from pathlib import Path

import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.launching.description import describe
from rtrrl_ros.launching.node_element import typed_value
from rtrrl_ros.worlds.registry import shift_class

NODE = '<node pkg="tools" exec="talk" name="talker" {}>{}</node>'


@pytest.fixture(autouse=True)
def tools(tmp_path, monkeypatch):
    """A ROS package 'tools' with one executable."""
    prefix = tmp_path / 'prefix'
    (prefix / 'share/ament_index/resource_index/packages').mkdir(parents=True)
    (prefix / 'share/ament_index/resource_index/packages/tools').touch()
    (prefix / 'lib/tools').mkdir(parents=True)
    talk = prefix / 'lib/tools/talk'
    talk.write_text('#!/bin/sh\n')
    talk.chmod(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(prefix))
    return talk


@pytest.fixture
def read(tmp_path):
    """Describe the body of a launch file with some arguments."""

    def read(body: str, environment=None, **arguments):
        path = tmp_path / 'test.launch.xml'
        path.write_text(f'<launch>\n{body}\n</launch>')
        return describe(path, arguments, environment or {})

    return read


def ros_arguments(node) -> list[str]:
    return node.command[node.command.index('--ros-args') + 1 :]


def test_a_node_of_another_package(read, tools):
    (node,) = read(NODE.format('', ''))
    assert node.command == [str(tools), '--ros-args', '-r', '__node:=talker']
    assert (node.label, node.output) == ('talker', 'log')
    assert not node.shutdown_on_exit and node.respawn_delay_s is None


def test_time_to_end(read):
    node = NODE.format('sigterm_timeout="125" sigkill_timeout="$(var s)"', '')
    (node,) = read(f'<let name="s" value="2.5"/>{node}')
    assert node.patience_s == {signal.SIGINT: 125.0, signal.SIGTERM: 2.5}


def test_our_nodes_run_with_this_python(read):
    (node,) = read('<node pkg="rtrrl_ros" exec="gate_node"/>')
    assert node.command == [sys.executable, '-m', 'rtrrl_ros.nodes', 'gate_node']
    assert node.label == 'gate_node'


def test_parameters_remaps_and_arguments_keep_their_order(read, tmp_path):
    (tmp_path / 'p.yaml').write_text('/**: {ros__parameters: {a: 1}}')
    (node,) = read(
        NODE.format(
            'args="--x \'y z\'" ros_args="--log-level debug" output="screen" on_exit="shutdown"',
            '<param from="$(dirname)/p.yaml"/><param name="a" value="2"/><remap from="x" to="/y"/>',
        )
    )
    assert node.command[1:3] == ['--x', 'y z']
    assert ros_arguments(node)[2:] == [
        '--params-file', str(tmp_path / 'p.yaml'), '-p', 'a:=2', '-r', 'x:=/y',
        '--log-level', 'debug',
    ]  # fmt: skip
    assert node.output == 'screen' and node.shutdown_on_exit


def test_nested_parameters_are_joined_by_dots(read):
    inner = '<param name="pid"><param name="p" value="0.5"/><param name="i" value="0"/></param>'
    (node,) = read(NODE.format('', inner))
    assert ros_arguments(node)[2:] == ['-p', 'pid.p:=0.5', '-p', 'pid.i:=0']


@pytest.mark.parametrize(
    ('written', 'kind', 'value'),
    [
        ('3', '', 3), ('3.0', '', 3.0), ('true', '', True), ('hello', '', 'hello'),
        ('[1, 2]', '', [1, 2]), ('3', 'str', '3'), ('3', 'float', 3.0), ('1', 'bool', True),
        ("'3'", '', '3'), ('', '', ''), ('true', 'str', 'true'), ('/a/b c', '', '/a/b c'),
    ],
)  # fmt: skip
def test_values_are_typed_as_ros_types_them(written, kind, value):
    result = typed_value(written, kind)
    assert result == value and type(result) is type(value)


@pytest.mark.parametrize(
    ('written', 'kind'), [('x', 'int'), ('x', 'float'), ('2', 'bool'), ('{', '')]
)
def test_values_that_are_none_of_their_type(written, kind):
    with pytest.raises(ValueError, match=written):
        typed_value(written, kind)


@pytest.mark.parametrize(
    ('value', 'kind', 'written'),
    [('3', 'str', "'3'"), ('true', 'str', "'true'"), ('', 'str', "''"), ('1e3', 'float', '1000.0')],
)
def test_text_that_looks_like_a_number_stays_text(read, value, kind, written):
    (node,) = read(NODE.format('', f'<param name="a" value="{value}" type="{kind}"/>'))
    assert ros_arguments(node)[2:] == ['-p', f'a:={written}']


def test_arguments_defaults_and_let(read):
    body = '<arg name="who" default="$(env USER)"/><let name="n" value="$(var who)_2"/>'
    body += '<node pkg="tools" exec="talk" name="$(var n)"/>'
    assert read(body, {'USER': 'ann'})[0].label == 'ann_2'
    assert read(body, who='bob')[0].label == 'bob_2'


def test_conditions(read):
    body = '<arg name="on" default="true"/>' + NODE.format('if="$(var on)"', '')
    body += NODE.format('unless="$(var on)"', '')
    assert [len(read(body, on=value)) for value in ('true', '1', 'False')] == [1, 1, 1]
    assert ros_arguments(read(body, on='0')[0]) == ['-r', '__node:=talker']


def test_groups_keep_their_variables_environment_and_namespace(read):
    node = NODE.format('', '')
    body = f"""
      <let name="a" value="1"/>
      <group>
        <push-ros-namespace namespace="car"/>
        <let name="a" value="2"/>
        <set_env name="E" value="inner"/>
        <group><push_ros_namespace namespace="front"/>{node}</group>
        <node pkg="tools" exec="talk" namespace="/absolute"/>
      </group>
      <group scoped="false"><set_env name="E" value="outer$(var a)"/></group>
      {node}"""
    front, absolute, outside = read(body, {'E': 'none'})
    assert ros_arguments(front)[2:] == ['-r', '__ns:=/car/front']
    assert ros_arguments(absolute) == ['-r', '__ns:=/absolute']
    assert '__ns' not in ' '.join(outside.command)
    assert [n.environment['E'] for n in (front, outside)] == ['inner', 'outer1']
    assert [n.label for n in (front, outside)] == ['talker-1', 'talker-2']


def test_include_passes_arguments(read, tmp_path):
    (tmp_path / 'inner.launch.xml').write_text(
        '<launch><arg name="n"/><node pkg="tools" exec="talk" name="$(var n)"/></launch>'
    )
    include = '<include file="$(dirname)/inner.launch.xml"><arg name="{}" value="x"/></include>'
    assert [node.label for node in read(include.format('n'))] == ['x']
    with pytest.raises(UserError, match=r'test.launch.xml:2: .*no argument .m'):
        read('<include file="$(dirname)/inner.launch.xml"><arg name="n" value="x"/>'
             '<arg name="m" value="x"/></include>')  # fmt: skip
    with pytest.raises(UserError, match=r'inner.launch.xml:1: argument .n. is required'):
        read('<include file="$(dirname)/inner.launch.xml"/>')


def test_a_file_that_includes_itself_is_refused(read):
    with pytest.raises(UserError, match='nested'):
        read('<include file="$(dirname)/test.launch.xml"/>')


@pytest.mark.parametrize(
    ('body', 'named'),
    [
        ('<nod pkg="tools" exec="talk"/>', ':2: <nod> is not supported'),
        ('\n<node pkg="tools"/>', ":3: <node> needs the attribute 'exec'"),
        ('<node pkg="tools" exec="talk" nam="x"/>', "no attribute 'nam'"),
        ('<node pkg="tools" exec="shout"/>', "no executable 'shout'"),
        ('<node pkg="missing" exec="talk"/>', "no ROS package 'missing'"),
        ('<node pkg="rtrrl_ros" exec="no_node"/>', "no node 'no_node'"),
        (NODE.format('on_exit="explode"', ''), 'must be one of shutdown'),
        (NODE.format('', '<param name="a" value="1" if="1"/>'), "no attribute 'if'"),  # as in ROS
        (NODE.format('', '<param name="a"/>'), "needs the attribute 'value'"),
        (NODE.format('', '<param name="a" value="x" type="int"/>'), 'invalid literal'),
        (NODE.format('', '<param from="/no/file.yaml"/>'), 'no parameter file'),
        (NODE.format('', '<remap from="a"/>'), "needs the attribute 'to'"),
        (NODE.format('if="maybe"', ''), 'must be true, 1, false or 0'),
        (NODE.format('respawn="true" respawn_delay="soon"', ''), 'number of seconds'),
        (NODE.format('sigterm_timeout="-1"', ''), "sigterm_timeout='-1': must be a number of sec"),
        ('<arg name="a"/>', "argument 'a' is required"),
        ('<arg name="a" default="z"><choice value="x"/><choice value="y"/></arg>', 'one of x, y'),
        ('<let name="a" value="$(var b)"/>', ":2: launch argument 'b' is not set"),
        ('<node', 'not well-formed'),
        ('text', "stray text 'text'"),
    ],
)
def test_faults_name_the_place(read, body, named):
    with pytest.raises(UserError) as caught:
        read(body)
    assert named in str(caught.value)
    assert '\n' not in str(caught.value)
    assert 'test.launch.xml:' in str(caught.value)


def test_an_unknown_argument_is_refused_with_the_known_ones(read):
    with pytest.raises(UserError, match=r"no argument 'b'; known: a"):
        read('<arg name="a" default="1"/>', b='2')


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match='cannot be read'):
        describe(tmp_path / 'missing.launch.xml', {}, {})
    (tmp_path / 'robot.xml').write_text('<robot/>')
    with pytest.raises(UserError, match='starts with <launch>'):
        describe(tmp_path / 'robot.xml', {}, {})


def test_every_launch_file_of_ours_is_understood():
    folder = Path(__file__).resolve().parents[2] / 'launch'
    files = sorted(folder.glob('*.launch.xml'))
    assert files
    for file in files:
        arguments = {
            'car': {'model': '/model', 'stage': 'shadow', 'drivers': 'false'},
            'record': {'out': '/bag'},
            'replay': {'model': '/model', 'bag': '/bag'},
        }
        assert describe(file, arguments.get(file.name.split('.')[0], {'model': '/model'}), {})


@pytest.mark.parametrize(('task', 'file'), [('line', 'line'), ('car-racing', 'sim')])
def test_every_shift_is_an_argument_of_the_launch_file_of_its_task(task, file):
    path = Path(__file__).resolve().parents[2] / 'launch' / f'{file}.launch.xml'
    world = f'{task.replace("-", "_")}_node'

    def commands(**arguments):
        nodes = describe(path, {'model': '/model', **arguments}, {})
        return next(node.command for node in nodes if node.label == world)

    for field in dataclasses.fields(shift_class(task)):
        value = '0.25' if isinstance(field.default, float) else 'wood'
        given = set(commands(**{field.name: value})) - set(commands())
        assert [word.split(':=')[1].strip("'") for word in given] == [value], field.name
