# SPDX-License-Identifier: Apache-2.0
"""A tiny C3D writer for tests: all byte orders, integers or reals, and any lie in header or parameters."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np

BLOCK = 512
INTEL, DEC, MIPS = 84, 85, 86

Value = Sequence[str] | Sequence[float] | np.ndarray


def dec_bytes(values: np.ndarray) -> bytes:
    """VAX F-floats, made from the definition: sign, exponent - 128, fraction 0.1f; high half first."""
    out = bytearray()
    for value in np.asarray(values, dtype=np.float64).ravel():
        mantissa, exponent = np.frexp(abs(value))
        bits = 0
        if value != 0:
            bits = (int(value < 0) << 31) | ((int(exponent) + 128) << 23) | (round(mantissa * 2**24) - 2**23)
        out += struct.pack("<HH", bits >> 16, bits & 0xFFFF)
    return bytes(out)


def floats(values: np.ndarray | Sequence[float], order: int) -> bytes:
    if order == DEC:
        return dec_bytes(np.asarray(values))
    return np.asarray(values).astype(">f4" if order == MIPS else "<f4").tobytes()


def integers(values: np.ndarray | Sequence[int], order: int) -> bytes:
    wrapped = np.asarray(values, dtype=np.int64) & 0xFFFF
    return wrapped.astype(">u2" if order == MIPS else "<u2").tobytes()


def _record(group: int, name: str, body: bytes, order: int) -> bytes:
    body += b"\0"  # no description
    return bytes([len(name), group & 0xFF]) + name.encode() + integers([len(body) + 2], order) + body


def parameter(group: int, name: str, value: Value, order: int) -> bytes:
    if len(value) and isinstance(value[0], str):
        width = max(len(str(v).encode()) for v in value)
        head, raw = (
            struct.pack("<bBBB", -1, 2, width, len(value)),
            b"".join(str(v).encode().ljust(width) for v in value),
        )
    elif isinstance(value, np.ndarray) and value.dtype == np.int16:
        head, raw = struct.pack("<bBB", 2, 1, len(value)), integers(value, order)
    else:
        head, raw = struct.pack("<bBB", 4, 1, len(value)), floats(value, order)  # type: ignore[arg-type]
    return _record(group, name, head + raw, order)


def c3d_bytes(
    points_mm: np.ndarray,
    labels: Sequence[str],
    *,
    rate: float = 100.0,
    order: int = INTEL,
    scale: float = -0.1,
    n_analog: int = 0,
    first: int = 1,
    changes: Mapping[tuple[str, str], Value | None] | None = None,
    header_frames: int | None = None,
) -> bytes:
    """A file of (F, P, 3) points, NaN = unseen; `scale` > 0 writes integers. `changes` replaces parameters."""
    n_frames, n_points = points_mm.shape[:2]
    values: dict[tuple[str, str], Value | None] = {
        ("POINT", "USED"): np.array([n_points], np.int16),
        ("POINT", "FRAMES"): np.array([min(n_frames, 65535)]).astype(np.int16),
        ("POINT", "SCALE"): [scale],
        ("POINT", "RATE"): [rate],
        ("POINT", "UNITS"): ["mm"],
    }
    for start in range(0, len(labels), 255):
        suffix = "" if start == 0 else str(start // 255 + 1)
        values[("POINT", "LABELS" + suffix)] = labels[start : start + 255]
    values.update(changes or {})
    groups = {group: index + 1 for index, group in enumerate(dict.fromkeys(group for group, _ in values))}
    records = b"".join(_record(-index, group, b"", order) for group, index in groups.items())
    records += b"".join(parameter(groups[g], n, v, order) for (g, n), v in values.items() if v is not None)
    n_blocks = -(-(len(records) + 5) // BLOCK)
    section = (bytes([1, 0x50, min(n_blocks, 255), order]) + records).ljust(n_blocks * BLOCK, b"\0")

    last = min(first + (n_frames if header_frames is None else header_frames) - 1, 65535)
    header = b"\x02\x50" + integers([n_points, n_analog, first, last, 0], order) + floats([scale], order)
    header += integers([2 + n_blocks, 1], order) + floats([rate], order)

    unseen = np.isnan(points_mm).any(axis=-1)
    quadruples = np.concatenate([np.nan_to_num(points_mm), np.where(unseen, -1.0, 3.0)[..., None]], axis=-1)
    if scale > 0:
        quadruples[..., :3] = np.round(quadruples[..., :3] / scale)
    rows = np.concatenate([quadruples.reshape(n_frames, -1), np.full((n_frames, n_analog), 7.0)], axis=1)
    frames = integers(rows, order) if scale > 0 else floats(rows, order)
    return header.ljust(BLOCK, b"\0") + section + frames
