# SPDX-License-Identifier: Apache-2.0
"""Ways in which a file can be damaged."""

from collections.abc import Callable, Sequence

import numpy as np

_EXTREMES = (b"\0\0", b"\xff\xff", b"\xff\x7f", b"\0\x80", b"\x01\0")
_WORDS = (b"0", b"-1", b"99999999", b"1e999", b"nan", b"\t", b"\n", b"{", b"}", b"")
_HEAD = 1536  # bytes at a file's beginning in which most of what can be misread stands
_MOST = 4  # at once


def mutated(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """A file with one to four damages; parts of other files may get into it."""
    for _ in range(rng.integers(1, _MOST + 1)):
        kind = _KINDS[rng.integers(len(_KINDS))]
        data = kind(data, others[int(rng.integers(len(others)))], rng)
    return data


def _place(data: bytes, rng: np.random.Generator) -> int:
    reach = len(data) if rng.random() < 0.4 else min(_HEAD, len(data))
    return int(rng.integers(reach + 1))


def _cut_off(data: bytes, _other: bytes, rng: np.random.Generator) -> bytes:
    return data[: _place(data, rng)]


def _flipped(data: bytes, _other: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6) if data else 0):
        changed[min(_place(data, rng), len(data) - 1)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwritten(data: bytes, _other: bytes, rng: np.random.Generator) -> bytes:
    at, word = _place(data, rng), _EXTREMES[rng.integers(len(_EXTREMES))]
    return data[:at] + word + data[at + len(word) :]


def _reworded(data: bytes, _other: bytes, rng: np.random.Generator) -> bytes:
    at, word = _place(data, rng), _WORDS[rng.integers(len(_WORDS))]
    return data[:at] + word + data[at + int(rng.integers(8)) :]


def _zeroed(data: bytes, _other: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    n = min(int(rng.integers(1, 600)), len(data) - at)
    return data[:at] + bytes(n) + data[at + n :]


def _removed(data: bytes, _other: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + int(rng.integers(1, 600)) :]


def _repeated(data: bytes, _other: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at : at + int(rng.integers(1, 600))] + data[at:]


def _spliced(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    return data[: _place(data, rng)] + other[_place(other, rng) :]


_KINDS: tuple[Callable[[bytes, bytes, np.random.Generator], bytes], ...] = (
    _cut_off, _flipped, _flipped, _overwritten, _overwritten, _reworded, _zeroed, _removed, _repeated, _spliced,
)  # fmt: skip
