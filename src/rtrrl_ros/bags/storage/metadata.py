"""metadata.yaml of a bag, and how a quality of service is written in it."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..contract import DamagedFileError, Qos

FILE_NAME = 'metadata.yaml'
#: of the format of metadata.yaml that is written, as ROS 2 Kilted writes it
VERSION = 9
_ROOT = 'rosbag2_bagfile_information'
#: numbers of the policies before version 9 (rmw/types.h)
_RELIABILITY = {1: 'reliable', 2: 'best_effort'}
_DURABILITY = {1: 'transient_local', 2: 'volatile'}
#: rmw's "no limit"
_FOREVER = {'sec': 9223372036, 'nsec': 854775807}


@dataclasses.dataclass(frozen=True)
class WrittenFile:
    """One storage file of a finished recording; times as in `StorageFile`."""

    name: str
    start_ns: int
    end_ns: int
    count: int


def read_metadata(file: Path) -> dict[str, Any]:
    """The contents; `DamagedFileError` where it is no metadata of a bag."""
    try:
        # the C loader: a long recording has hundreds of files
        document = yaml.load(file.read_bytes(), getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
        information = document[_ROOT]
        names = information['relative_file_paths']
        sound = (
            isinstance(names, list)
            and all(isinstance(name, str) for name in names)
            and isinstance(information.get('message_count', 0), int)
            and isinstance(information.get('custom_data'), dict | None)
            and isinstance(information.get('topics_with_message_count'), list | None)
        )
        if not sound:
            raise TypeError
    except OSError as error:
        raise DamagedFileError(f'{FILE_NAME} cannot be read ({error.strerror})') from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise DamagedFileError(f'{FILE_NAME} is damaged') from error
    return information


def write_metadata(
    folder: Path,
    files: Iterable[WrittenFile],
    topics: Iterable[Mapping[str, Any]],
    custom: Mapping[str, str],
) -> None:
    """Write metadata.yaml, whole or not at all.

    Parameters
    ----------
    topics : name, type, hash, qos and count of each
    custom : whatever belongs to the recording, {name: text}
    """
    files = list(files)
    filled = [file for file in files if file.count]
    start_ns = min((file.start_ns for file in filled), default=0)
    end_ns = max((file.end_ns for file in filled), default=0)
    document = {
        _ROOT: {
            'version': VERSION,
            'storage_identifier': 'mcap',
            **_span(start_ns, end_ns, sum(file.count for file in files)),
            'topics_with_message_count': [_topic(topic) for topic in topics],
            'compression_format': '',  # mcap compresses inside
            'compression_mode': '',
            'relative_file_paths': [file.name for file in files],
            'files': [
                {'path': file.name, **_span(file.start_ns, file.end_ns, file.count)}
                for file in files
            ],
            'custom_data': dict(custom) or None,
            'ros_distro': 'unknown',
        }
    }
    part = folder / f'{FILE_NAME}.part'
    part.write_text(yaml.safe_dump(document, sort_keys=False))
    part.replace(folder / FILE_NAME)


def _span(start_ns: int, end_ns: int, count: int) -> dict[str, Any]:
    return {
        'duration': {'nanoseconds': end_ns - start_ns},
        'starting_time': {'nanoseconds_since_epoch': start_ns},
        'message_count': count,
    }


def _topic(topic: Mapping[str, Any]) -> dict[str, Any]:
    return {
        'topic_metadata': {
            'name': topic['name'],
            'type': topic['type'],
            'serialization_format': 'cdr',
            'offered_qos_profiles': qos_document(topic['qos']),
            'type_description_hash': topic['hash'],
        },
        'message_count': topic['count'],
    }


def qos_document(profiles: Iterable[Qos]) -> list[dict[str, Any]]:
    """Profiles as rosbag2 writes them."""
    return [
        {
            'history': 'keep_last',
            'depth': qos.depth,
            'reliability': qos.reliability,
            'durability': qos.durability,
            'deadline': dict(_FOREVER),
            'lifespan': dict(_FOREVER),
            'liveliness': 'automatic',
            'liveliness_lease_duration': dict(_FOREVER),
            'avoid_ros_namespace_conventions': False,
        }
        for qos in profiles
    ]


def qos_text(profiles: Iterable[Qos]) -> str:
    """The same as the text that stands in a storage file."""
    document = qos_document(profiles)
    return yaml.safe_dump(document, sort_keys=False) if document else ''


def parse_qos(profiles: Any) -> tuple[Qos, ...]:
    """Profiles from either form; what cannot be understood is left out, since nothing rests on it.

    Parameters
    ----------
    profiles : a list, or the YAML text of one
    """
    try:
        if isinstance(profiles, str):
            profiles = yaml.load(profiles, getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
        return tuple(
            Qos(
                _policy(profile.get('reliability'), _RELIABILITY),
                _policy(profile.get('durability'), _DURABILITY),
                int(profile.get('depth', 0)),
            )
            for profile in profiles or ()
        )
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        return ()


def _policy(value: Any, names: Mapping[int, str]) -> str:
    if isinstance(value, int):
        return names.get(value, 'unknown')
    return value if value in names.values() else 'unknown'
