"""A node takes good parameters, and says in one line what is wrong with a bad one."""

import pytest
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('max_age_s', 0.5, 'max_age_s = 0.5: must be in (0, 0.17]'),
        ('max_age_s', 'long', "max_age_s = 'long': must be in (0, 0.17]"),
        ('max_speed_m_s', -1.0, 'max_speed_m_s = -1.0: must be in [0, inf)'),
        ('lockstep', 1, 'lockstep = 1: must be of type bool'),
        ('deadman_button', 99, 'deadman_button = 99: must be in [0, 31]'),
        ('autostart', 'no', "autostart = 'no': must be of type bool"),
        ('max_steering_angel_rad', 0.3, "unknown parameter 'max_steering_angel_rad'"),
    ],
)
def test_a_bad_parameter_ends_the_node_with_one_line(graph, name, value, said):
    process = graph.start('gate_node', **{name: value})
    assert graph.exit_status(process) == 2
    lines = graph.output(process).splitlines()
    assert len(lines) == 1 and said in lines[0]


def test_ros_arguments_that_make_no_sense(graph):
    process = graph.start('gate_node', '--params-file', '/no/such/file.yaml')
    assert graph.exit_status(process) == 2
    assert 'no/such/file.yaml' in graph.output(process).splitlines()[-1]
    assert 'Traceback' not in graph.output(process)


def set_parameter(graph, name: str, value: ParameterValue):
    request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
    return graph.call(SetParameters, '/gate_node/set_parameters', request).results[0]


def double(value: float) -> ParameterValue:
    return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)


def test_parameters_are_described_with_unit_and_range(graph):
    graph.start('gate_node', max_speed_m_s=2)  # a whole number will do
    names = ['max_age_s', 'max_speed_m_s']
    request = DescribeParameters.Request(names=names)
    age, _ = graph.call(DescribeParameters, '/gate_node/describe_parameters', request).descriptors
    assert 'longest silence' in age.description and '[s]' in age.description
    assert age.floating_point_range[0].to_value == pytest.approx(0.17)


def test_changes_are_checked_and_refused_while_configured(graph):
    graph.start('gate_node', autostart=False)
    bad = set_parameter(graph, 'max_age_s', double(0.5))
    assert not bad.successful and '0.17' in bad.reason
    bound = set_parameter(graph, 'max_age_s', double(0.0))  # ROS knows no open bounds
    assert not bound.successful and 'must be in (0, 0.17]' in bound.reason
    assert set_parameter(graph, 'max_age_s', double(0.1)).successful
    request = GetParameters.Request(names=['max_age_s'])
    (value,) = graph.call(GetParameters, '/gate_node/get_parameters', request).values
    assert value.double_value == pytest.approx(0.1)


def test_a_configured_node_does_not_change_its_limits(graph):
    graph.start('gate_node')
    graph.until(lambda: 'drive' in str(graph.peer.get_topic_names_and_types()), 'configured')
    refused = set_parameter(graph, 'max_age_s', double(0.1))
    assert not refused.successful and 'clean up' in refused.reason
