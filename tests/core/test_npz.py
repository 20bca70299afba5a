# SPDX-License-Identifier: Apache-2.0
"""Files that are no npz, in every way that zip archives and arrays can be broken: one kind of error, one line."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vendor_core.errors import MotionError
from vendor_core.npz import read_npz


def _zip(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return bytearray(buffer.getvalue())


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _encrypted() -> bytearray:
    content = _zip({"a.npy": _npy(np.arange(9.0))})
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(signature) + flags] |= 1
    return content


def _spoilt_lzma() -> bytearray:
    content = _zip({"a.npy": _npy(np.arange(99.0))}, zipfile.ZIP_LZMA)
    content[60:90] = b"\x55" * 30
    return content


BROKEN = {
    "encrypted": _encrypted(),
    "spoilt lzma": _spoilt_lzma(),
    "no array": _zip({"a.npy": b"hello"}),
    "open header": _zip({"a.npy": b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8', " + b"x" * 20}),
    "no members": _zip({"a.txt": b"hello"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(BROKEN[name])
    with pytest.raises(MotionError, match=r"broken\.npz") as caught:
        read_npz(path, None, MotionError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_flipped_bytes_never_escape_as_another_error(
    tmp_path: Path, rng: np.random.Generator, compression: int
) -> None:
    good = _zip({"a.npy": _npy(np.arange(20.0)), "b.npy": _npy(np.array("text"))}, compression)
    path = tmp_path / "flipped.npz"
    for _ in range(400):
        bad = good.copy()
        for at in rng.integers(len(bad), size=3):
            bad[at] = rng.integers(256)
        path.write_bytes(bad)
        try:
            arrays = read_npz(path, None, MotionError)
        except MotionError:
            continue
        assert all(isinstance(array, np.ndarray) for array in arrays.values())


def test_next_to_nothing_that_would_fill_memory_is_refused(tmp_path: Path) -> None:
    """A member that says it unpacks to a gigabyte; where it is not asked for it does no harm."""
    content = _zip({"a.npy": _npy(np.arange(9.0)), "b.npy": _npy(np.zeros(2))}, zipfile.ZIP_DEFLATED)
    size_of_a = content.find(b"PK\x01\x02") + 24
    content[size_of_a : size_of_a + 4] = (10**9).to_bytes(4, "little")
    path = tmp_path / "bomb.npz"
    path.write_bytes(content)
    with pytest.raises(MotionError, match=r"bomb\.npz has 0\.0\d+ MB and unpacks to 1,000 MB; expected at most 100"):
        read_npz(path, None, MotionError)
    np.testing.assert_array_equal(read_npz(path, ("b",), MotionError)["b"], np.zeros(2))
