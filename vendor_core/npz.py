# SPDX-License-Identifier: Apache-2.0
"""Reading and writing npz files: never with pickle, errors in one line, files replaced as a whole."""

import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from .errors import PoiseError
from .files import replaced_file

try:
    from lzma import LZMAError
except ImportError:  # a Python built without lzma cannot open such members in the first place
    LZMAError = zlib.error

# What reading a damaged member can raise beyond ValueError; an encrypted one raises RuntimeError.
_DAMAGE = (
    OSError, EOFError, MemoryError, OverflowError, SyntaxError, RuntimeError,
    tokenize.TokenError, zlib.error, LZMAError,
)  # fmt: skip

_LARGE, _MOST_TIMES = 256e6, 100  # bytes that any file may unpack to; larger ones, to so many times their size


def read_npz(path: str | Path, names: Iterable[str] | None, error: type[PoiseError]) -> dict[str, np.ndarray]:
    """Read the named arrays of an npz file (all of them for None); those it lacks are left out.

    Args:
        path: the file.
        names: arrays to read. The others are never touched, so objects pickled beside them do no harm.
        error: the kind of error to raise.

    Raises:
        PoiseError: of the given kind, where the file is missing, truncated, no npz, or holds pickled objects.
    """
    path = Path(path)
    arrays: dict[str, np.ndarray] = {}
    name = ""
    try:
        with zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as file:
            members = {m[:-4] for m in archive.namelist() if m.endswith(".npy")}
            if not members:
                raise error(f"{path.name} is a zip archive without arrays; expected an npz file written by numpy.savez")
            wanted = members if names is None else members.intersection(names)
            _require_bounded(path, archive, wanted, error)
            for name in wanted:
                _require_whole(archive, f"{name}.npy")
                arrays[name] = file[name]
                if not isinstance(arrays[name], np.ndarray):  # numpy answers with bytes where its magic is missing
                    raise ValueError("no array's header")
    except FileNotFoundError:
        raise error(f"{path} does not exist; check the path") from None
    except (IsADirectoryError, PermissionError) as problem:
        raise error(f"{path} cannot be read ({problem.strerror}); expected an npz file") from None
    except zipfile.BadZipFile:
        raise error(f"{path.name} is no npz file, or is truncated; expected a file written by numpy.savez") from None
    except ValueError as problem:
        why = "pickled objects, which Poise never opens" if "allow_pickle" in str(problem) else f"no array ({problem})"
        raise error(f'{path.name}: "{name}" holds {why}; expected a plain array') from None
    except _DAMAGE as problem:
        why = str(problem) or type(problem).__name__
        raise error(f'{path.name}: "{name}" is damaged ({why}); get the file anew') from None
    return arrays


def _require_bounded(path: Path, archive: zipfile.ZipFile, names: Iterable[str], error: type[PoiseError]) -> None:
    """Raises an error of the given kind where the arrays would fill memory from next to nothing on the disk."""
    unpacked, packed = sum(archive.getinfo(f"{name}.npy").file_size for name in names), path.stat().st_size
    if unpacked > max(_LARGE, _MOST_TIMES * packed):
        raise error(
            f"{path.name} has {packed / 1e6:,.3f} MB and unpacks to {unpacked / 1e6:,.0f} MB; expected at most "
            f"{_MOST_TIMES} times its size. Save it with numpy.savez, unpacked, if that is meant"
        )


def _require_whole(archive: zipfile.ZipFile, member: str) -> None:
    """Raises a ValueError where an array says that it is larger than it is: numpy would ask for that much memory."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            return
        read_header = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
        shape, _, dtype = read_header(file)
    size, held = math.prod(shape) * dtype.itemsize, archive.getinfo(member).file_size
    if size > held and not dtype.hasobject:
        raise ValueError(f"it says {shape}, which takes {size} bytes, and has {held}")


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed npz file under a temporary name and move it into place, so that no half file remains.

    The bytes depend on the arrays alone: members carry no time stamp, so equal arrays give equal files.

    Raises:
        OSError: the folder does not exist or is not writable.
    """
    with replaced_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.asanyarray(array), allow_pickle=False)


def text_of(array: np.ndarray | str | bytes | None, default: str = "") -> str:
    """A text stored as a zero-dimensional array of str or bytes, as AMASS files do in both ways."""
    if array is None:
        return default
    value = array.item() if isinstance(array, np.ndarray) and array.size == 1 else array
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
