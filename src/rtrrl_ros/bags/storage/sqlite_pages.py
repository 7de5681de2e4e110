"""What a cut through a page of a database leaves of the row that it went through.

SQLite reads what is missing as zeros, so that such a row looks whole and ends in bytes that nobody
wrote. The layout is that of the file format (sqlite.org/fileformat2.html, sections 1.5 and 1.6).
"""

from pathlib import Path

_TABLE_LEAF = 0x0D
_LEAF_HEAD = 8
#: a row with more bytes than a page less these goes on in further pages
OVERFLOW_MARGIN = 35


def cut_row(path: Path, page_bytes: int) -> tuple[bool, int | None]:
    """Look at the last page of a file that ends within one.

    Returns
    -------
    whether it is a leaf of a table, and the row that begins in it and does not end; None: there
        is none. What is no leaf may be the end of a row that is too long for one page
    """
    whole, left = divmod(path.stat().st_size, page_bytes)
    if not left:
        return True, None
    with path.open('rb') as file:
        file.seek(whole * page_bytes)
        page = file.read(left)
    if whole == 0 or page[0] != _TABLE_LEAF:
        return False, None
    count = int.from_bytes(page[3:5], 'big')
    for index in range(count):
        place = _LEAF_HEAD + 2 * index
        start = int.from_bytes(page[place : place + 2], 'big')
        size, place = _varint(page, start)
        row, place = _varint(page, place)
        # of a longer one a part of unknown length lies here
        length = min(size, page_bytes - OVERFLOW_MARGIN)
        if start < left < place + length:
            return True, row
    return True, None


def _varint(page: bytes, place: int) -> tuple[int, int]:
    """A number of 1 to 9 bytes, and where it ends; missing bytes are zeros."""
    value = 0
    for index in range(9):
        byte = page[place + index] if place + index < len(page) else 0
        if index == 8:
            return (value << 8) | byte, place + 9
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return value, place + index + 1
    raise AssertionError('unreachable')
