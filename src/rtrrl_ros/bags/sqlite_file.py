"""One .db3 file, whole or damaged.

A damaged database is read message by message up to where that fails; its index of times is then
not used.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from .contract import Channel, DamagedFileError, Record, Source
from .message_types import full_type_name
from .metadata import parse_qos
from .zstd import unpacked

MAGIC = b'SQLite format 3\0'
#: log times beyond what SQLite can hold are no bounds
_INT64 = (1 << 63) - 1


class SqliteFile:
    """See `StorageFile`.

    Raises
    ------
    DamagedFileError
        it is no database of a bag, or nothing of it can be read
    """

    def __init__(self, path: Path) -> None:
        # Immutable: no lock, and nothing is written, not even by opening. A write-ahead log beside
        # it holds what a recorder wrote last before it was killed; then SQLite has to look at both.
        log = path.with_name(path.name + '-wal')
        mode = 'mode=ro' if log.exists() and log.stat().st_size else 'immutable=1'
        self.channels: dict[int, Channel] = {}
        self.counts: dict[int, int] = {}
        self.definitions: dict[str, tuple[str, str]] = {}
        self.start_ns = self.end_ns = 0
        self.incomplete = ''
        #: (log time, row) of what can be read of a damaged file; None: it is whole
        self._rows: list[tuple[int, int]] | None = None
        try:
            self._database = sqlite3.connect(f'{path.resolve().as_uri()}?{mode}', uri=True)
        except sqlite3.Error as error:
            raise DamagedFileError(f'no database that can be read ({error})') from error
        try:
            self._open()
        except sqlite3.Error as error:
            self.close()
            raise DamagedFileError(f'no database of a bag ({error})') from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._database.close()

    def _open(self) -> None:
        columns = self._columns('topics')
        if not {'id', 'name', 'type'} <= columns or not self._columns('messages'):
            raise DamagedFileError('a database, but of no bag')
        encoding = 'serialization_format' if 'serialization_format' in columns else "'cdr'"
        qos = 'offered_qos_profiles' if 'offered_qos_profiles' in columns else "''"
        for row in self._all(f'SELECT id, name, type, {encoding}, {qos} FROM topics ORDER BY id'):
            number, name, kind, encoding, profiles = row
            self.channels[number] = Channel(
                name, full_type_name(kind), encoding, parse_qos(profiles)
            )
        if self._columns('message_definitions'):
            for kind, encoding, text in self._all(
                'SELECT topic_type, encoding, encoded_message_definition FROM message_definitions'
            ):
                if encoding in ('ros2msg', 'ros2idl'):
                    self.definitions[full_type_name(kind)] = (encoding, text)
        try:
            self.counts = dict(
                self._all('SELECT topic_id, count(*) FROM messages GROUP BY topic_id')
            )
            (bounds,) = self._all('SELECT min(timestamp), max(timestamp) FROM messages')
        except sqlite3.Error as error:
            self._salvage(str(error))
        else:
            self.start_ns, self.end_ns = bounds[0] or 0, bounds[1] or 0

    def _salvage(self, why: str) -> None:
        """Find out which messages can be read."""
        self.counts, self._rows = {}, []
        try:
            with closing(self._database.cursor()) as cursor:
                cursor.execute('SELECT id, topic_id, timestamp, data FROM messages NOT INDEXED')
                for row, topic, log_ns, _ in cursor:
                    self.counts[topic] = self.counts.get(topic, 0) + 1
                    self._rows.append((log_ns, row))
        except sqlite3.Error as error:
            why = str(error)
        self._rows.sort()
        self.start_ns, self.end_ns = (self._rows[0][0], self._rows[-1][0]) if self._rows else (0, 0)
        self.incomplete = f'damaged after {len(self._rows)} messages ({why})'

    def _columns(self, table: str) -> set[str]:
        return {row[1] for row in self._all(f'PRAGMA table_info({table})')}

    def _all(self, query: str) -> list[Any]:
        with closing(self._database.cursor()) as cursor:
            return cursor.execute(query).fetchall()

    def sources(
        self, topics: Collection[str] | None, start_ns: int, end_ns: int
    ) -> Iterator[Source]:
        wanted = {
            number: channel
            for number, channel in self.channels.items()
            if (topics is None or channel.topic in topics) and self.counts.get(number)
        }
        if wanted and self.start_ns <= end_ns and self.end_ns >= start_ns:
            first_ns = max(self.start_ns, start_ns)
            bounds = max(start_ns, -_INT64), min(end_ns, _INT64)
            yield Source(first_ns, lambda: self._records(wanted, *bounds))

    def _records(self, wanted: dict[int, Channel], start_ns: int, end_ns: int) -> Iterator[Record]:
        try:
            for number, log_ns, data in self._select(wanted, start_ns, end_ns):
                channel = wanted.get(number)
                if channel is not None:
                    yield Record(channel.topic, channel.type, log_ns, unpacked(bytes(data)))
        except sqlite3.Error as error:
            raise DamagedFileError(f'damaged ({error})') from error

    def _select(
        self, wanted: Collection[int], start_ns: int, end_ns: int
    ) -> Iterator[tuple[int, int, bytes]]:
        with closing(self._database.cursor()) as cursor:
            if self._rows is None:
                numbers = ', '.join(str(int(number)) for number in wanted)
                yield from cursor.execute(
                    'SELECT topic_id, timestamp, data FROM messages '
                    f'WHERE topic_id IN ({numbers}) AND timestamp BETWEEN ? AND ? '
                    'ORDER BY timestamp, id',
                    (start_ns, end_ns),
                )
                return
            for log_ns, row in self._rows:
                if start_ns <= log_ns <= end_ns:
                    query = 'SELECT topic_id, timestamp, data FROM messages WHERE id = ?'
                    yield from cursor.execute(query, (row,))
