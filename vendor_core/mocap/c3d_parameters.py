# SPDX-License-Identifier: Apache-2.0
"""The parameter section of a C3D file, and its three ways of writing numbers (https://www.c3d.org/HTML/).

Nothing is decoded before it is asked for, so a damaged parameter that nobody needs does no harm, and every
access is checked against the section's end, so no count in the file can make us read or allocate beyond it.
"""

from dataclasses import dataclass
from enum import Enum
from math import prod

import numpy as np

from ..errors import C3DError

BLOCK = 512  # bytes; sections of a C3D file start at multiples of it

_TEXT, _BYTE, _INT16, _FLOAT32 = -1, 1, 2, 4
_WIDTH = {_TEXT: 1, _BYTE: 1, _INT16: 2, _FLOAT32: 4}


class ByteOrder(Enum):
    """How a file writes numbers; the value is the processor byte of the parameter section."""

    INTEL = 84
    DEC = 85
    MIPS = 86

    @property
    def sign(self) -> str:
        """NumPy's byte-order character for integers (DEC integers are little-endian)."""
        return ">" if self is ByteOrder.MIPS else "<"


def floats_from_dec(words: np.ndarray) -> np.ndarray:
    """VAX F-floating numbers as float32.

    A VAX float is the IEEE one with its 16-bit halves swapped and an exponent that is two larger.

    Args:
        words: (..., 2 n) uint16, the halves as they lie in the file.

    Returns:
        (..., n) float32.
    """
    halves = words.reshape(*words.shape[:-1], -1, 2)[..., ::-1]
    with np.errstate(invalid="ignore", under="ignore"):
        return np.ascontiguousarray(halves, dtype="<u2").view("<f4")[..., 0] * np.float32(0.25)


def int16s(data: bytes, offset: int, count: int, order: ByteOrder) -> np.ndarray:
    """(count,) signed 16-bit integers at a byte offset; the caller keeps them inside `data`."""
    return np.frombuffer(data, order.sign + "i2", count, offset)


def float32s(data: bytes, offset: int, count: int, order: ByteOrder) -> np.ndarray:
    """(count,) float32 at a byte offset; the caller keeps them inside `data`."""
    if order is ByteOrder.DEC:
        return floats_from_dec(np.frombuffer(data, "<u2", 2 * count, offset))
    return np.frombuffer(data, order.sign + "f4", count, offset)


def text(raw: bytes) -> str:
    """UTF-8 where it is, else Latin-1; padding removed, control characters replaced."""
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        decoded = raw.decode("latin-1")
    return "".join(c if c.isprintable() else "?" for c in decoded.strip(" \0\t\r\n"))


@dataclass(frozen=True)
class _Entry:
    kind: int
    dimensions: tuple[int, ...]
    offset: int  # of the first value, in bytes from the start of the file


class Parameters:
    """The parameters of a C3D file by (group, name); names are upper case.

    Attributes:
        order: the file's byte order.
    """

    def __init__(self, data: bytes, start: int, stop: int, order: ByteOrder) -> None:
        """Walks the records of `data[start:stop]`; `start` is behind the section's four-byte head.

        Raises:
            C3DError: a record runs beyond the section.
        """
        self.order = order
        self._data = data[:stop]
        groups: dict[int, str] = {}
        entries: list[tuple[int, str, _Entry]] = []
        position: int | None = start
        while position is not None and position + 2 <= stop and data[position] != 0:
            position = self._record(position, groups, entries)
        self._entries = {(groups.get(group, ""), name): entry for group, name, entry in entries}

    def _record(self, position: int, groups: dict[int, str], entries: list[tuple[int, str, _Entry]]) -> int | None:
        """Reads one group or parameter record; returns where the next one starts, None behind the last."""
        data = self._data
        length = abs(int.from_bytes(data[position : position + 1], "little", signed=True))  # negative = locked
        group = int.from_bytes(data[position + 1 : position + 2], "little", signed=True)  # negative = a group's record
        name = text(data[position + 2 : position + 2 + length]).upper()
        link = position + 2 + length
        if link + 4 > len(data):
            raise C3DError(
                f'The parameter section ends inside the record of "{name[:40]}". '
                "The file is damaged or cut short; export it again"
            )
        offset = int(int16s(data, link, 1, self.order)[0]) & 0xFFFF
        if group < 0:
            groups[-group] = name
        else:
            kind = int.from_bytes(data[link + 2 : link + 3], "little", signed=True)
            n_dimensions = data[link + 3]
            dimensions = tuple(data[link + 4 : link + 4 + n_dimensions])
            if len(dimensions) == n_dimensions and kind in _WIDTH:
                entries.append((group, name, _Entry(kind, dimensions, link + 4 + n_dimensions)))
        if offset == 0:
            return None
        if offset < 3:
            raise C3DError(
                f'The record of parameter "{name[:40]}" points back into itself. The file is damaged; export it again'
            )
        return link + offset

    def _entry(self, group: str, name: str) -> _Entry | None:
        entry = self._entries.get((group, name))
        if entry and entry.offset + prod(entry.dimensions) * _WIDTH[entry.kind] > len(self._data):
            raise C3DError(
                f"The values of {group}:{name} run beyond the end of the parameter section. "
                "The file is damaged or cut short; export it again"
            )
        return entry

    def strings(self, group: str, name: str) -> list[str] | None:
        """The texts of a parameter, None where there is no such parameter or it holds numbers.

        Raises:
            C3DError: the values run beyond the section.
        """
        entry = self._entry(group, name)
        if entry is None or entry.kind != _TEXT:
            return None
        width = entry.dimensions[0] if entry.dimensions else 1
        count = prod(entry.dimensions[1:]) if width else 0
        starts = range(entry.offset, entry.offset + width * count, width or 1)
        return [text(self._data[start : start + width]) for start in starts]

    def continued_strings(self, group: str, name: str) -> list[str]:
        """The texts of NAME, NAME2, NAME3..., as files write lists of more than 255 entries."""
        found: list[str] = []
        number = 1
        while (more := self.strings(group, name if number == 1 else f"{name}{number}")) is not None:
            found += more
            number += 1
        return found

    def numbers(self, group: str, name: str) -> np.ndarray | None:
        """The numbers of a parameter as (n,) float64, None where there is no such parameter or it is empty.

        Raises:
            C3DError: the parameter holds text, or its values run beyond the section.
        """
        entry = self._entry(group, name)
        count = prod(entry.dimensions) if entry else 0
        if entry is None or count == 0:
            return None
        if entry.kind == _TEXT:
            raise C3DError(f"{group}:{name} holds text, expected a number. The file is damaged; export it again")
        if entry.kind == _BYTE:
            values = np.frombuffer(self._data, np.uint8, count, entry.offset)
        elif entry.kind == _INT16:
            values = int16s(self._data, entry.offset, count, self.order)
        else:
            values = float32s(self._data, entry.offset, count, self.order)
        return values.astype(np.float64)

    def number(self, group: str, name: str) -> float | None:
        """The first number of a parameter, as `numbers`."""
        values = self.numbers(group, name)
        return None if values is None else float(values[0])
