"""Names of topics, before anything is started with them."""

from rclpy.exceptions import InvalidTopicNameException
from rclpy.validate_topic_name import validate_topic_name

from ..errors import UserError


def check_topic_name(name: str) -> None:
    """Raise `UserError` where this cannot be the name of a topic."""
    try:
        validate_topic_name(name)
    except InvalidTopicNameException as error:
        reason = str(error).splitlines()[0].rstrip(':')
        raise UserError(f'{name!r} is no name of a topic: {reason}') from None
