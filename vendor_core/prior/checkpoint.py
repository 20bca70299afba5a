# SPDX-License-Identifier: Apache-2.0
"""Reading the tensors of a torch checkpoint without torch, and without running anything that is pickled in it.

Two containers: a zip archive with `data.pkl` and one member a storage (torch 1.6 and later), and before that a file
of five pickles followed by the raw storages. The pickles go through an unpickler that knows how a tensor and an
ordered dictionary are built. Whatever else they name (callbacks, configurations, a call of `os.system`) becomes an
inert object: nothing named in a file is ever imported or called.
"""

import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import PriorError
from ..npz import LZMAError
from ..pickles import check_opcodes
from .network import usable

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # what the older container begins with
_MOST_PICKLED = 16 << 20  # bytes: a checkpoint of VPoser has some 50 kB
_MOST_NUMBERS = 16 << 20  # of one storage
_FLOATS = {"HalfStorage": "f2", "BFloat16Storage": "bfloat16", "FloatStorage": "f4", "DoubleStorage": "f8"}
_ITEM_SIZES = {
    "f2": 2, "bfloat16": 2, "f4": 4, "f8": 8, "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1,
    "ByteStorage": 1, "BoolStorage": 1, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16,
}  # fmt: skip
"""Bytes of a number; those that are no floats are counters beside the weights, which are stepped over."""

# What damaged bytes can raise: pickle and zipfile document no closed list.
_DAMAGE = (
    pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, LZMAError, struct.error, OSError, EOFError, ValueError,
    TypeError, KeyError, IndexError, AttributeError, MemoryError, OverflowError, RecursionError, RuntimeError,
    AssertionError,
)  # fmt: skip


class _Storage(NamedTuple):
    key: str
    dtype: str
    numel: int

    def n_bytes(self) -> int:
        return self.numel * _ITEM_SIZES[self.dtype]


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in numbers


class Checkpoint:
    """The named tensors of a file, each read when it is asked for."""

    def __init__(self, name: str, tensors: dict[str, _Tensor], read: Callable[[_Storage], bytes], big_endian: bool):
        self.name = name
        self._tensors, self._read, self._order = tensors, read, ">" if big_endian else "<"

    @property
    def names(self) -> list[str]:
        return list(self._tensors)

    def array(self, name: str) -> np.ndarray:
        """One tensor, in double precision.

        Raises:
            PriorError: there is none of this name, it is damaged, or its numbers are not finite or far too large.
        """
        if name not in self._tensors:
            raise PriorError(f'{self.name} has no "{name}"; expected a checkpoint of VPoser')
        try:
            array = self._strided(self._tensors[name])
        except _DAMAGE as problem:
            raise PriorError(f'{self.name}: "{name}" is damaged ({_why(problem)}); get the file anew') from None
        if not usable(array):
            raise PriorError(
                f'{self.name}: "{name}" holds numbers that are not finite or far too large; get the file anew'
            )
        return array

    def _strided(self, tensor: _Tensor) -> np.ndarray:
        (storage, offset, shape, strides), last = tensor, 0
        if len(shape) != len(strides) or not all(type(n) is int and n >= 0 for n in (offset, *shape, *strides)):
            raise ValueError("its shape is none")
        if 0 not in shape:
            last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if not (last < storage.numel <= _MOST_NUMBERS and np.prod(shape, dtype=float) <= storage.numel):
            raise ValueError("it is larger than its numbers")
        flat = self._numbers(storage)[offset:]
        bytes_apart = [step * flat.itemsize for step in strides]
        return np.lib.stride_tricks.as_strided(flat, shape, bytes_apart, writeable=False).astype(np.float64)

    def _numbers(self, storage: _Storage) -> np.ndarray:
        content = self._read(storage)
        if len(content) != storage.n_bytes():
            raise ValueError("truncated")
        if storage.dtype == "bfloat16":  # the upper half of a float32
            halves = np.frombuffer(content, f"{self._order}u2")
            return (halves.astype(np.uint32) << 16).view(np.float32)
        if storage.dtype not in _FLOATS.values():
            raise ValueError(f"it is a {storage.dtype}, not floating point")
        return np.frombuffer(content, self._order + storage.dtype)


def read_checkpoint(path: Path) -> Checkpoint:
    """The tensors of a state dict that `torch.save` wrote, alone or as "state_dict" in a checkpoint of Lightning.

    Raises:
        PriorError: the file is missing, damaged, too large, no checkpoint, or holds no state dict.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_MOST_PICKLED)
        return _from_zip(path) if head[:2] == b"PK" else _from_pickles(path, head)
    except FileNotFoundError:
        raise PriorError(f"{path} does not exist; check the path") from None
    except (IsADirectoryError, PermissionError) as problem:
        raise PriorError(f"{path} cannot be read ({problem.strerror}); expected a checkpoint of torch") from None
    except _DAMAGE as problem:
        raise PriorError(
            f"{path.name} is damaged, or no checkpoint of torch ({_why(problem)}); expected VPoser's .ckpt or .pt file"
        ) from None


def _from_zip(path: Path) -> Checkpoint:
    with zipfile.ZipFile(path) as archive:
        tops = [name[:-8] for name in archive.namelist() if name.endswith("data.pkl") and name.count("/") <= 1]
        if len(tops) != 1:
            raise PriorError(f"{path.name} is a zip archive without a data.pkl; expected VPoser's .ckpt or .pt file")
        (top,) = tops
        if archive.getinfo(f"{top}data.pkl").file_size > _MOST_PICKLED:
            raise PriorError(f"{path.name} holds a pickle of more than 16 MiB; expected VPoser's .ckpt or .pt file")
        content, _, _ = _unpickled(archive.read(f"{top}data.pkl"), 0)
        big_endian = f"{top}byteorder" in archive.namelist() and archive.open(f"{top}byteorder").read(8) == b"big"

    def read(storage: _Storage) -> bytes:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo(f"{top}data/{storage.key}")
            return archive.read(member) if member.file_size == storage.n_bytes() else b""

    return Checkpoint(path.name, _state_dict(content, path.name), read, big_endian)


def _from_pickles(path: Path, head: bytes) -> Checkpoint:
    if head[257:262] == b"ustar":
        raise PriorError(f"{path.name} is a tar archive, as torch wrote before 0.2; load it in torch and save it anew")
    magic, at, _ = _unpickled(head, 0)
    protocol, at, _ = _unpickled(head, at)
    if (magic, protocol) != (_MAGIC, _PROTOCOL):
        raise ValueError("it begins otherwise")
    system, at, _ = _unpickled(head, at)
    content, at, storages = _unpickled(head, at)
    keys, at, _ = _unpickled(head, at)
    places: dict[str, int] = {}
    for key in keys:  # each storage: how many numbers, then the numbers
        places[key] = at + 8
        at += 8 + storages[key].n_bytes()
    if at > path.stat().st_size:
        raise ValueError("truncated")

    def read(storage: _Storage) -> bytes:
        with path.open("rb") as file:
            file.seek(places[storage.key] - 8)
            written = int.from_bytes(file.read(8), "little")
            return file.read(storage.n_bytes()) if written == storage.numel else b""

    return Checkpoint(path.name, _state_dict(content, path.name), read, system["little_endian"] is False)


def _state_dict(content: Any, name: str) -> dict[str, _Tensor]:
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    found = content.items() if isinstance(content, dict) else ()
    tensors = {key: value for key, value in found if isinstance(key, str) and isinstance(value, _Tensor)}
    if not tensors:
        raise PriorError(f"{name} holds no state dict of tensors; expected VPoser's .ckpt or .pt file")
    return tensors


class _Inert:
    """Stands in for whatever is no tensor: swallows what a pickle does to build it, and does nothing."""

    def __new__(cls, *args: Any, **kwargs: Any) -> "_Inert":
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def _swallow(self, *args: Any) -> None:
        pass

    __setstate__ = __setitem__ = append = extend = add = update = __call__ = _swallow


class _TensorUnpickler(pickle.Unpickler):
    """Builds containers, numbers and records of tensors; everything else is inert."""

    def __init__(self, data: bytes):
        super().__init__(BytesIO(data), encoding="latin1")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return self._tensor
        if module == "torch._utils" and name in ("_rebuild_parameter", "_rebuild_parameter_with_state"):
            return self._parameter
        if module == "torch" and name in (_FLOATS.keys() | _ITEM_SIZES):
            return _FLOATS.get(name, name)
        return _Inert

    def persistent_load(self, pid: Any) -> Any:
        """A storage: ("storage", type, key, device, how many numbers), and in older files whose part it is."""
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage"):
            return _Inert()
        _, dtype, key, _, numel, *part = pid
        if dtype not in _ITEM_SIZES or type(numel) is not int or numel < 0 or part not in ([], [None]):
            raise ValueError("a storage of an unknown kind")
        return self.storages.setdefault(str(key), _Storage(str(key), dtype, numel))

    def _tensor(self, storage: Any, offset: Any, shape: Any, strides: Any, *_flags: Any) -> Any:
        return _Tensor(storage, offset, tuple(shape), tuple(strides)) if isinstance(storage, _Storage) else _Inert()

    def _parameter(self, data: Any, *_flags: Any) -> Any:
        return data


def _unpickled(data: bytes, start: int) -> tuple[Any, int, dict[str, _Storage]]:
    """What is pickled from a byte on, the byte after it, and the storages that it names."""
    stream = BytesIO(data)
    stream.seek(start)
    check_opcodes(stream, len(data))
    unpickler = _TensorUnpickler(data[start : stream.tell()])
    return unpickler.load(), stream.tell(), unpickler.storages


def _why(problem: BaseException) -> str:
    text = " ".join(str(problem).split()) or type(problem).__name__
    return ascii(text)[1:-1][:120]
