# SPDX-License-Identifier: Apache-2.0
"""The readers, and what each promises of any file: a sound result or one line, soon, within a few times its size."""

import io
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vendor_core.errors import PoiseError
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.trc import read_trc
from vendor_core.motion import Motion, read_motion
from vendor_core.motion.bvh import BvhClip, read_bvh

_SECONDS = 5.0
_TIMES, _BASE = {".c3d": 10, ".trc": 200, ".bvh": 200, ".npz": 10, ".npy": 40}, 3_000_000
"""Bytes of memory for each of the file, and in any case. Letters of a text may become numbers of eight bytes, its words
are texts of some fifty bytes until they are numbers, bytes of an array several numbers of eight bytes, and tables of
Python's own grow by a megabyte or two at times."""


_FAULTS = (
    ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
    struct.error,
)  # fmt: skip


class BrokenPromise(AssertionError):
    """A reader did something else than it promises."""


@dataclass(frozen=True)
class Reader:
    suffix: str
    read: Callable[[Path], object]
    check: Callable[[object], None]
    files: tuple[str, ...]  # whose lines count as covered


def _check_take(take: object) -> None:
    assert isinstance(take, C3D)
    shape = (len(take.points), len(take.labels))
    sound = take.points.shape[:2] == take.residuals.shape == shape and take.rate > 0
    if not sound or not np.isfinite(take.points[take.visible]).all() or len(set(take.labels)) != len(take.labels):
        raise BrokenPromise("a take that is not sound")


def _check_clip(clip: object) -> None:
    assert isinstance(clip, BvhClip)
    p, G = clip.positions()
    n, joints = len(clip.R_local), len(clip.names)
    if p.shape != (n, joints, 3) or not 0 < clip.rate < np.inf or not np.isfinite(G).all():
        raise BrokenPromise("a motion that is not sound")


def _check_motion(motion: object) -> None:
    assert isinstance(motion, Motion)
    n = len(motion.poses)
    shaped = motion.poses.shape == (n, 55, 3) and motion.trans.shape == (n, 3) and n > 0 and motion.rate > 0
    if not shaped or not all(np.isfinite(x).all() for x in (motion.poses, motion.trans, motion.betas)):
        raise BrokenPromise("a motion that is not sound")


def _read_poses(path: Path) -> Motion:
    """The motion of a sound npz file in which the array of the poses is the given file: damage behind sound sums."""
    whole = path.with_suffix(".npz")
    trans = io.BytesIO()
    np.save(trans, np.zeros((3, 3)))
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("poses.npy", path.read_bytes())
        archive.writestr("trans.npy", trans.getvalue())
    try:
        return read_motion(whole)
    finally:
        whole.unlink()


READERS = (
    Reader(".c3d", read_c3d, _check_take, ("c3d.py", "c3d_names.py", "c3d_parameters.py")),
    Reader(".trc", read_trc, _check_take, ("trc.py",)),
    Reader(".bvh", read_bvh, _check_clip, ("bvh.py",)),
    Reader(".npz", read_motion, _check_motion, ("amass.py", "npz.py")),
    Reader(".npy", _read_poses, _check_motion, ("amass.py", "npz.py")),
)


def try_file(reader: Reader, path: Path) -> bool:
    """Read a file that may be damaged; whether it was read.

    Raises:
        BrokenPromise: something else than a sound result or one line, or too much time or memory.
    """
    size, began, refused = path.stat().st_size, time.perf_counter(), False
    tracemalloc.start()
    try:
        with np.errstate(all="ignore"):
            reader.check(reader.read(path))
    except PoiseError as error:
        refused = True
        if "\n" in str(error):
            raise BrokenPromise(f"a message of several lines: {error}") from error
    except _FAULTS as error:
        raise BrokenPromise(f"{type(error).__name__}: {error}") from error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    seconds = time.perf_counter() - began
    if seconds > _SECONDS or peak > _TIMES[reader.suffix] * size + _BASE:
        raise BrokenPromise(f"{seconds:.1f} s and {peak:,} bytes for {size:,}")
    return not refused
