"""The recorded line that a real car is to follow: a closed polyline, kept as a CSV file.

    x_m,y_m,speed_m_s
    0.000,0.000,1.20
    ...

In driving direction; the last point joins the first. The speed may be left out. Semicolons do as
well as commas, and lines that begin with # are skipped, except that the header may begin so.
"""

import dataclasses
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..worlds.centre_line import CentreLine, Projection, wrapped

#: distance between two vertices of a loaded line; a projection then looks 0.6 m to either side
SPACING_M = 0.05
SHORTEST_M = 2.0
#: two ends further apart than this share of the line, and than ten times its spacing, are no loop
OPEN_SHARE = 0.05
#: what a radian of difference in heading counts for where a place on the line is sought
HEADING_M = 0.15
HEADERS = (['x_m', 'y_m'], ['x_m', 'y_m', 'speed_m_s'])


@dataclasses.dataclass(frozen=True)
class ReferenceLine:
    """A closed line and the speed it was driven at.

    Attributes
    ----------
    line : vertices about `SPACING_M` apart
    speed_m_s : at each vertex, (count,); None: not known
    """

    line: CentreLine
    speed_m_s: np.ndarray | None = None

    @classmethod
    def of(cls, points: np.ndarray, speed_m_s: np.ndarray | None = None) -> 'ReferenceLine':
        """From points (count, 2) in m at any distances from one another; equal ones are dropped."""
        ends = np.roll(points, -1, axis=0)
        keep = np.hypot(*(ends - points).T) > 1e-6
        points = points[keep]
        speed = None if speed_m_s is None else speed_m_s[keep]
        points, speed = resampled(points, speed, SPACING_M)
        return cls(CentreLine(points), speed)

    @property
    def length_m(self) -> float:
        return self.line.length_m

    def find(self, x_m: float, y_m: float, heading_rad: float) -> Projection:
        """The place on the line of a car of which nothing is known but this pose.

        A stretch that goes the car's way is preferred to a nearer one that goes the other way.
        """
        line = self.line
        turned = (heading_rad - line.heading_rad + np.pi) % (2.0 * np.pi) - np.pi
        away = np.square(line.points[:, 0] - x_m) + np.square(line.points[:, 1] - y_m)
        near = int(np.argmin(away + np.square(HEADING_M * turned)))
        return line.project(x_m, y_m, near=near)

    def heading_error(self, place: Projection, heading_rad: float) -> float:
        """Heading minus that of the line, in [-pi, pi), positive to the left."""
        return wrapped(heading_rad - place.heading_rad)


def resampled(
    points: np.ndarray, values: np.ndarray | None, spacing_m: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Points (and values at them) at equal distances along the closed line through `points`."""
    closed = np.vstack([points, points[:1]])
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    count = max(3, round(arc[-1] / spacing_m))
    places = np.arange(count) * (arc[-1] / count)
    even = np.stack([np.interp(places, arc, closed[:, axis]) for axis in range(2)], axis=1)
    if values is None:
        return even, None
    return even, np.interp(places, arc, np.append(values, values[0]))


def load_reference_line(path: Path | str) -> ReferenceLine:
    """Read a CSV file; `UserError` names the file, the line and what is wrong."""
    path = Path(path)
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'not a text file'
        raise UserError(
            f'reference line {path} cannot be read: {reason}; record one with line_recorder_node'
        ) from None
    table = _table(path, lines)
    points, speed = table[:, :2], table[:, 2] if table.shape[1] == 3 else None
    steps = np.hypot(*np.diff(points, axis=0).T)
    length, gap = float(steps.sum()), float(np.hypot(*(points[-1] - points[0])))
    if length < SHORTEST_M:
        raise UserError(f'{path}: the line is {length:.2f} m long; {SHORTEST_M:g} m are the least')
    if gap > max(OPEN_SHARE * length, 10.0 * float(np.median(steps))):
        raise UserError(
            f'{path}: the line is not closed: {gap:.2f} m from its end to its start; '
            'record a whole lap'
        )
    return ReferenceLine.of(points, speed)


def _table(path: Path, lines: list[str]) -> np.ndarray:
    """The numbers, (rows, 2 or 3) float64."""
    header: list[str] | None = None
    rows: list[list[float]] = []
    for number, text in enumerate(lines, start=1):
        cells = [cell.strip() for cell in text.lstrip('#').replace(';', ',').split(',')]
        if not any(cells):
            continue
        if header is None and cells in HEADERS:
            header = cells
        elif text.startswith('#'):
            continue
        elif header is None:
            raise UserError(f'{path}:{number}: the header x_m,y_m or x_m,y_m,speed_m_s is missing')
        else:
            rows.append(_numbers(f'{path}:{number}', cells, header))
    if len(rows) < 3:
        raise UserError(f'{path}: {len(rows)} points are no closed line')
    return np.array(rows)


def _numbers(where: str, cells: list[str], header: list[str]) -> list[float]:
    if len(cells) != len(header):
        raise UserError(f'{where}: {len(cells)} values under {len(header)} columns')
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        raise UserError(f'{where}: not a number among {", ".join(cells)}') from None
    if not np.all(np.isfinite(values)):
        raise UserError(f'{where}: not a finite number among {", ".join(cells)}')
    return values


def save_reference_line(path: Path | str, reference: ReferenceLine) -> None:
    """Write the CSV file, whole or not at all; `UserError` where that is not possible."""
    path = Path(path)
    columns = [reference.line.points]
    if reference.speed_m_s is not None:
        columns.append(reference.speed_m_s[:, None])
    header = HEADERS[reference.speed_m_s is not None]
    rows = (','.join(f'{value:.4f}' for value in row) for row in np.hstack(columns))
    part = path.with_name(path.name + '.part')
    try:
        part.write_text('\n'.join([','.join(header), *rows]) + '\n')
        part.replace(path)
    except OSError as error:
        raise UserError(f'{path} cannot be written: {error.strerror}') from None
