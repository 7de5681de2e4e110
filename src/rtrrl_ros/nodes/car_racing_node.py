"""The CarRacing world in the graph: image_raw and world_state out, drive in."""

from typing import NoReturn

from rclpy.publisher import Publisher
from sensor_msgs.msg import Image

from ..worlds.car_racing import CarRacingConfig, CarRacingShift, CarRacingWorld
from ..worlds.contract import Observation
from .messages import image_message
from .priority import SIMULATING
from .process import run_node
from .qos import STREAM
from .world_node import WorldNode
from .world_node_config import WorldNodeConfig


class CarRacingNode(WorldNode):
    """Bridges `CarRacingWorld`; see `WorldNode`."""

    sections = (WorldNodeConfig, CarRacingConfig, CarRacingShift)

    def __init__(self) -> None:
        super().__init__('car_racing_node')

    def make_world(self, config: WorldNodeConfig) -> CarRacingWorld:
        return CarRacingWorld(
            self.section(CarRacingConfig), self.section(CarRacingShift), config.seed, config.split
        )

    def advertise_camera(self, config: WorldNodeConfig) -> Publisher:
        return self.advertise(Image, 'image_raw', STREAM)

    def camera_messages(self, observation: Observation, again: bool) -> list[Image]:
        return [image_message(observation)]


def main() -> NoReturn:
    """Run the node."""
    run_node(CarRacingNode, SIMULATING)


if __name__ == '__main__':
    main()
