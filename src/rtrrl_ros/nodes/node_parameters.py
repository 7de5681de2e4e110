"""Parameters of a node, declared from the fields of dataclasses (see `parameters.parameter`)."""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from ..errors import UserError
from ..parameters import check_value, range_text

T = TypeVar('T')


class NodeParameters:
    """The parameters of one node.

    Values given at the start are checked when they are used (`section`), so that a bad one makes
    the node refuse to configure; later ones are checked when they are set. They take effect when
    the node is configured, so a configured node accepts no change.

    Parameters
    ----------
    node : the node to declare them in
    sections : dataclasses whose fields become parameters; no name may occur twice
    ignored : others, of whose fields values may be given to this node, too, to no effect
    """

    def __init__(self, node: Node, sections: Sequence[type], ignored: Sequence[type] = ()) -> None:
        self._node, self._sections = node, tuple(sections)
        self._fields: dict[str, dataclasses.Field] = {}
        self._faults: dict[str, str] = {}
        self.frozen = False
        for section in self._sections:
            for field in dataclasses.fields(section):
                if field.name in self._fields:
                    raise ValueError(f'parameter {field.name} is declared twice')
                self._fields[field.name] = field
                self._declare(field)
        # ROS itself ignores a value for a parameter that does not exist: a misspelt limit
        known = {*self._fields, 'use_sim_time', 'start_type_description_service'}
        known |= {field.name for section in ignored for field in dataclasses.fields(section)}
        for name in getattr(node, '_parameter_overrides', {}):
            if name not in known and not name.startswith('qos_overrides.'):
                self._faults[name] = f'unknown parameter {name!r}'
        node.add_on_set_parameters_callback(self._on_set)

    def section(self, cls: type[T]) -> T:
        """The values of one dataclass; `UserError` names the first bad parameter of the node."""
        for fault in self._faults.values():
            raise UserError(fault)
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        return cls(**{name: self._node.get_parameter(name).value for name in names})

    def _declare(self, field: dataclasses.Field) -> None:
        descriptor = _descriptor(field)
        try:
            value = self._node.declare_parameter(field.name, field.default, descriptor).value
            check_value(field, value)
        except (InvalidParameterTypeException, InvalidParameterValueException, UserError):
            value = self._node._parameter_overrides[field.name].value
            self._faults[field.name] = f'{field.name} = {value!r}: must be {range_text(field)}'
            if not self._node.has_parameter(field.name):
                self._node.declare_parameter(
                    field.name, field.default, descriptor, ignore_override=True
                )

    def _on_set(self, parameters: Sequence[Parameter[Any]]) -> SetParametersResult:
        for parameter in parameters:
            field = self._fields.get(parameter.name)
            if field is None:
                continue
            if self.frozen:
                return SetParametersResult(
                    successful=False,
                    reason=f'{parameter.name} takes effect when configured: clean up first',
                )
            try:
                check_value(field, parameter.value)
            except UserError as error:
                return SetParametersResult(successful=False, reason=str(error))
        for parameter in parameters:
            self._faults.pop(parameter.name, None)
        return SetParametersResult(successful=True)


def _descriptor(field: dataclasses.Field) -> ParameterDescriptor:
    meta, kind = field.metadata, type(field.default)
    unit = f' [{meta["unit"]}]' if meta['unit'] else ''
    descriptor = ParameterDescriptor(description=f'{meta["doc"]}{unit}; {range_text(field)}')
    descriptor.dynamic_typing = kind is float  # so that 2 may be given for 2.0
    if meta['low'] is not None and meta['high'] is not None:
        if kind is float:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(meta['low']), to_value=float(meta['high']))
            ]
        elif kind is int:
            descriptor.integer_range = [
                IntegerRange(from_value=int(meta['low']), to_value=int(meta['high']), step=1)
            ]
    return descriptor
