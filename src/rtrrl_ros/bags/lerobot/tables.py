"""The Parquet tables of a dataset: rows, episodes, tasks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .features import Column
from .layout import DATA, DATA_FILE_MB, FileNumber
from .packages import arrow, parquet


class DataFiles:
    """Writes the rows of episodes; each is one row group, and is in one file.

    Parameters
    ----------
    root : folder of the dataset
    largest_bytes : a file that has reached this size takes no further episode
    """

    def __init__(
        self, root: Path, columns: Sequence[Column], largest_bytes: int = DATA_FILE_MB << 20
    ) -> None:
        self._root, self._columns, self._most = root, columns, largest_bytes
        self._schema = arrow().schema([(column.name, _type(column)) for column in columns])
        self._number, self._bytes = FileNumber(), 0
        self._writer: Any = None

    def write(self, values: Mapping[str, np.ndarray]) -> FileNumber:
        """Add an episode: (T,) of each column, (T, D) of vectors; returns the file it is in."""
        if self._writer is not None and self._bytes >= self._most:
            self.close()
            self._number = self._number.following()
        if self._writer is None:
            path = self._root / self._number.path(DATA)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer, self._bytes = parquet().ParquetWriter(path, self._schema), 0
        arrays = [_array(column, values[column.name]) for column in self._columns]
        table = arrow().Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table, row_group_size=max(1, len(table)))
        self._bytes += table.nbytes
        return self._number

    def close(self) -> None:
        """Complete the last file; a second time, which may follow an error, it does nothing."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table of rows with the same keys, each a number, a text or a nested list of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet().write_table(arrow().Table.from_pylist([dict(row) for row in rows]), path)


def write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """The texts of the tasks in the order of their numbers.

    Readers take the texts for the labels of the rows of a data frame: the note under 'pandas' is
    what makes them that (pandas documentation, "Storing pandas DataFrame objects in Parquet").
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pa = arrow()
    table = pa.table({'task_index': pa.array(range(len(tasks)), pa.int64()), 'task': list(tasks)})

    def note(name: str, kind: str, numpy_kind: str) -> dict[str, Any]:
        return {
            'name': name, 'field_name': name, 'pandas_type': kind, 'numpy_type': numpy_kind,
            'metadata': None,
        }  # fmt: skip

    notes = {
        'index_columns': ['task'], 'column_indexes': [], 'pandas_version': '2.0.0',
        'columns': [note('task_index', 'int64', 'int64'), note('task', 'unicode', 'object')],
    }  # fmt: skip
    parquet().write_table(table.replace_schema_metadata({'pandas': json.dumps(notes)}), path)


def _type(column: Column) -> Any:
    pa = arrow()
    kind = {'float32': pa.float32(), 'int64': pa.int64(), 'bool': pa.bool_()}[column.kind]
    return pa.list_(kind, column.size) if column.names else kind


def _array(column: Column, values: np.ndarray) -> Any:
    pa = arrow()
    flat = pa.array(np.ascontiguousarray(values, column.kind).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, column.size) if column.names else flat
