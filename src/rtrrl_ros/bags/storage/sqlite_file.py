"""One .db3 file, whole or damaged.

A damaged database is read message by message up to where that fails; its index of times is then
not used.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ..contract import Channel, DamagedFileError, Record, Source
from ..message_types import full_type_name
from .metadata import parse_qos
from .sqlite_pages import OVERFLOW_MARGIN, cut_row
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
        self._log = log.exists() and log.stat().st_size > 0
        mode = 'mode=ro' if self._log else 'immutable=1'
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
            try:
                self._read_topics()
                self._check_size(path)
                self._count()
            except sqlite3.DatabaseError as error:
                # SQLite refuses a file that is shorter than its head says, unless it is told that
                # somebody wants to repair it. What is missing then reads as zeros.
                self._database.execute('PRAGMA writable_schema = ON')
                self._read_topics()
                self._salvage(str(error), path)
        except sqlite3.Error as error:
            self.close()
            raise DamagedFileError(f'no database of a bag ({error})') from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._database.close()

    def _read_topics(self) -> None:
        columns = self._columns('topics')
        if not {'id', 'name', 'type'} <= columns or not self._columns('messages'):
            raise DamagedFileError('a database, but of no bag')
        form = 'serialization_format' if 'serialization_format' in columns else "'cdr'"
        qos = 'offered_qos_profiles' if 'offered_qos_profiles' in columns else "''"
        for row in self._all(f'SELECT id, name, type, {form}, {qos} FROM topics ORDER BY id'):
            number, name, kind, encoding, profiles = row
            if isinstance(name, str) and isinstance(kind, str):
                self.channels[number] = Channel(
                    name, full_type_name(kind), str(encoding), parse_qos(profiles)
                )
        if self._columns('message_definitions'):
            for kind, encoding, text in self._all(
                'SELECT topic_type, encoding, encoded_message_definition FROM message_definitions'
            ):
                if encoding in ('ros2msg', 'ros2idl') and isinstance(text, str):
                    self.definitions[full_type_name(str(kind))] = (encoding, text)

    def _check_size(self, path: Path) -> None:
        """SQLite does not notice that its last page is cut."""
        ((pages,),), ((page_bytes,),) = (
            self._all('PRAGMA page_count'),
            self._all('PRAGMA page_size'),
        )
        if not self._log and path.stat().st_size < pages * page_bytes:
            raise sqlite3.DatabaseError('the file is cut off')

    def _count(self) -> None:
        self.counts = dict(self._all('SELECT topic_id, count(*) FROM messages GROUP BY topic_id'))
        ((start_ns, end_ns),) = self._all('SELECT min(timestamp), max(timestamp) FROM messages')
        if not isinstance(start_ns, int | None) or not isinstance(end_ns, int | None):
            raise sqlite3.DatabaseError('a time is no number')
        self.start_ns, self.end_ns = start_ns or 0, end_ns or 0

    def _salvage(self, why: str, path: Path) -> None:
        """Find out which messages can be read."""
        ((page_bytes,),) = self._all('PRAGMA page_size')
        leaf, cut = cut_row(path, page_bytes)
        rows: list[tuple[int, int, int, int]] = []
        query = 'SELECT id, topic_id, timestamp, data FROM messages NOT INDEXED ORDER BY id'
        try:
            with closing(self._database.cursor()) as cursor:
                for row, topic, log_ns, data in cursor.execute(query):
                    if not _sound(log_ns, data) or topic not in self.channels:
                        break
                    rows.append((log_ns, row, topic, len(data)))
        except sqlite3.Error as error:
            why = str(error)
        if not leaf:  # the cut may go through the newest row of several pages
            long = [row for _, row, _, size in rows if size > page_bytes - 2 * OVERFLOW_MARGIN]
            cut = max(long, default=None)
        rows = sorted(found for found in rows if found[1] != cut)
        self._rows = [(log_ns, row) for log_ns, row, _, _ in rows]
        self.counts = dict(Counter(topic for _, _, topic, _ in rows))
        if self._rows:
            self.start_ns, self.end_ns = self._rows[0][0], self._rows[-1][0]
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
                if not _sound(log_ns, data):
                    raise DamagedFileError('damaged: a message that is none')
                if channel is not None:
                    yield Record(channel.topic, channel.type, log_ns, unpacked(data))
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


def _sound(log_ns: Any, data: Any) -> bool:
    """Whether a row has the types that it must have: SQLite itself does not insist on them."""
    return isinstance(log_ns, int) and isinstance(data, bytes)
