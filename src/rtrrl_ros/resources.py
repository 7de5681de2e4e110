"""Where models, configuration and launch files lie: in the source tree or in share/rtrrl_ros."""

import os
import sys
from pathlib import Path

from .errors import UserError


def resource_roots() -> list[Path]:
    """Folders that hold config/, launch/ and models/, best first."""
    roots = [Path(__file__).resolve().parents[2]]
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    for prefix in [*filter(None, prefixes), sys.prefix]:
        roots.append(Path(prefix) / 'share' / 'rtrrl_ros')
    return roots


def find_resource(kind: str, name: str) -> Path:
    """The file or folder <root>/<kind>/<name>; `UserError` if there is none."""
    for root in resource_roots():
        if (root / kind / name).exists():
            return root / kind / name
    raise UserError(f'no {kind}/{name}; known: {", ".join(list_resources(kind)) or "none"}')


def list_resources(kind: str) -> list[str]:
    """The names under <root>/<kind>."""
    names = {p.name for root in resource_roots() for p in (root / kind).glob('*')}
    return sorted(names)
