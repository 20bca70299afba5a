# SPDX-License-Identifier: Apache-2.0
"""Files to damage: small ones written here, and the real takes where the development data is."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np

_TRC = (
    "PathFileType\t4\t(X/Y/Z)\ttake.trc\nDataRate\tNumMarkers\tUnits\n100.00\t2\tmm\n"
    "Frame#\tTime\tLASI\t\t\tRASI\t\t\n\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n\n"
    "1\t0.000\t1.0\t2.0\t3.0\t4.0\t5.0\t6.0\n2\t0.010\t1.5\t2.0\t3.0\t\t\t\n"
)
_BVH = (
    "HIERARCHY\nROOT Hips\n{\n OFFSET 0 90 0\n CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
    " JOINT LeftUpLeg\n {\n  OFFSET 10 0 0\n  CHANNELS 3 Zrotation Xrotation Yrotation\n  End Site\n  {\n"
    "   OFFSET 0 -40 0\n  }\n }\n}\nMOTION\nFrames: 2\nFrame Time: 0.04\n1 2 3 0 0 0 0 0 0\n1 2 3 90 0 0 0 0 90\n"
)
_BVH_STILL = "HIERARCHY\nROOT a\n{\n OFFSET 0 0 0\n CHANNELS 0\n}\nMOTION\nFrames: 99\nFrame Time: 0.1\n"
_LARGEST = 400_000  # bytes of a real take that is damaged


def seeds(suffix: str, takes: Path | None) -> list[bytes]:
    """Files of a kind, at least one.

    Args:
        suffix: ".c3d", ".trc", ".bvh", ".npz" of a motion, or ".npy" of its poses.
        takes: folder of real files, if there is one.
    """
    made = {
        ".trc": [_TRC.encode()],
        ".bvh": [_BVH.encode(), _BVH_STILL.encode()],
        ".c3d": [_c3d(real) for real in (False, True)],
        ".npz": [
            _amass(width, key) for width, key in ((165, "mocap_frame_rate"), (156, "mocap_framerate"), (66, "fps"))
        ],
        ".npy": [_array(np.ones((3, width), kind)) for width, kind in ((165, "<f8"), (156, "<f4"), (72, "<i2"))],
    }[suffix]
    real = sorted(takes.glob(f"*{suffix}")) if takes is not None and takes.is_dir() else []
    return [*made, *(path.read_bytes() for path in real if path.stat().st_size <= _LARGEST)]


def _amass(width: int, rate: str) -> bytes:
    """Three frames of a motion as AMASS has them, some as texts of bytes."""
    file = io.BytesIO()
    gender = np.array("neutral") if width == 165 else np.array(b"male")
    arrays: dict[str, Any] = {"gender": gender, rate: np.array(120.0)}
    np.savez(file, poses=np.ones((3, width)), trans=np.zeros((3, 3)), betas=np.zeros(16), **arrays)
    return file.getvalue()


def _array(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def _c3d(real: bool) -> bytes:
    """Five frames of three markers, as integers or reals; what is written follows https://www.c3d.org/HTML."""
    points, frames, scale = 3, 5, -0.1 if real else 0.1
    labels = b"".join(name.ljust(4) for name in (b"LASI", b"RASI", b"C7"))
    numbers = {b"USED": points, b"FRAMES": frames, b"DATA_START": 3}
    records = [_group(1, b"POINT")]
    records += [_parameter(1, name, 2, (), struct.pack("<h", value)) for name, value in numbers.items()]
    records += [_parameter(1, b"SCALE", 4, (), struct.pack("<f", scale))]
    records += [_parameter(1, b"RATE", 4, (), struct.pack("<f", 100.0))]
    records += [_parameter(1, b"LABELS", -1, (4, points), labels), _parameter(1, b"UNITS", -1, (2,), b"mm")]
    parameters = (bytes([1, 0x50, 1, 84]) + b"".join(records) + bytes(2)).ljust(512, b"\0")
    header = struct.pack("<BBHHHHHfHHf", 2, 0x50, points, 0, 1, frames, 10, scale, 3, 0, 100.0).ljust(512, b"\0")
    rows = np.random.default_rng(0).integers(-900, 900, (frames, points, 4))
    rows[..., 3] = 0
    return header + parameters + rows.astype("<f4" if real else "<i2").tobytes().ljust(512, b"\0")


def _group(number: int, name: bytes) -> bytes:
    return bytes([len(name), 256 - number]) + name + struct.pack("<h", 3) + b"\0"


def _parameter(group: int, name: bytes, kind: int, dimensions: tuple[int, ...], data: bytes) -> bytes:
    body = struct.pack("b", kind) + bytes([len(dimensions), *dimensions]) + data + b"\0"
    return bytes([len(name), group]) + name + struct.pack("<h", len(body) + 2) + body
