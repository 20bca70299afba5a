# SPDX-License-Identifier: Apache-2.0
"""Reading SMPL's .pkl files through an unpickler that builds arrays and nothing else.

Those files were written by Python 2 and hold NumPy arrays, chumpy arrays and a SciPy sparse matrix. Of the classes
that a pickle may name, NumPy's array constructors are let through, those of chumpy and SciPy become inert records of
their state, and anything else refuses the file: nothing named in it is ever imported or called.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BodyError
from ..pickles import check_opcodes

_reconstruct = np.zeros(0).__reduce__()[0]  # its module moved between NumPy 1 and 2
_scalar = np.float64(0).__reduce__()[0]
_ALLOWED: dict[str, Any] = {
    "ndarray": np.ndarray, "dtype": np.dtype, "_reconstruct": _reconstruct, "scalar": _scalar,
}  # fmt: skip


class _Refused(pickle.UnpicklingError):
    """The pickle names something that is no array."""


class _Record:
    """Stands in for an object of chumpy or SciPy: keeps its state, runs nothing."""

    def __new__(cls, *args: Any, **kwargs: Any) -> "_Record":
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


def _rebuild(cls: Any, base: Any = None, state: Any = None) -> Any:
    """What `copy_reg._reconstructor` does, for records alone."""
    if cls is not _Record:
        raise _Refused("an object that is no array")
    return _Record()


def _encode(text: str, encoding: str) -> bytes:
    """What `_codecs.encode` does for the bytes of an array pickled by Python 3 under protocol 2."""
    return text.encode("latin1")


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        root = module.partition(".")[0]
        if root == "numpy" and name in _ALLOWED:
            return _ALLOWED[name]
        if root in ("chumpy", "scipy"):
            return _Record
        if (module, name) in (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")):
            return _rebuild
        if (module, name) == ("_codecs", "encode"):
            return _encode
        if name == "object" and module in ("__builtin__", "builtins"):
            return object
        raise _Refused(f'"{module}.{name}"')


# What unpickling damaged bytes can raise: pickle documents no closed list.
_DAMAGE = (
    pickle.UnpicklingError, OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, MemoryError,
    ImportError, OverflowError, RecursionError, AssertionError,
)  # fmt: skip


def read_array_pickle(path: str | Path) -> dict[str, Any]:
    """The top-level dictionary of a pickle, its arrays dense; entries that are no arrays are left out.

    Raises:
        BodyError: the file is missing, damaged, no pickle of a dictionary, or names code to run.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            check_opcodes(file, path.stat().st_size)
            file.seek(0)
            content = _ArrayUnpickler(file, encoding="latin1").load()
        if not isinstance(content, dict):
            found = type(content).__name__
            raise BodyError(f"{path.name} holds a {found}; expected a dictionary, as SMPL's .pkl files do")
        dense = {str(key): _dense(value) for key, value in content.items()}
    except FileNotFoundError:
        raise BodyError(f"{path} does not exist; check the path") from None
    except (IsADirectoryError, PermissionError) as problem:
        raise BodyError(f"{path} cannot be read ({problem.strerror}); expected a .pkl file") from None
    except _Refused as problem:
        raise BodyError(
            f"{path.name} holds {problem}, not only arrays; it was not run. Expected an original SMPL .pkl"
        ) from None
    except _DAMAGE as problem:
        why = " ".join(str(problem).split()) or type(problem).__name__
        raise BodyError(f"{path.name} is damaged or no pickle ({ascii(why)[1:-1]}); get the file anew") from None
    return {key: value for key, value in dense.items() if value is not None}


def _dense(value: Any) -> np.ndarray | None:
    if isinstance(value, np.ndarray):
        return value if value.dtype != object else None
    if not isinstance(value, _Record):
        return None
    if isinstance(value.state.get("x"), np.ndarray):  # a chumpy array
        return value.state["x"]
    return _dense_sparse(value.state)


def _dense_sparse(state: dict[str, Any]) -> np.ndarray | None:
    """A SciPy CSC matrix, the layout of SMPL's joint regressor."""
    data, rows, starts = (state.get(k) for k in ("data", "indices", "indptr"))
    shape = state.get("_shape", state.get("shape"))
    if not (isinstance(data, np.ndarray) and isinstance(rows, np.ndarray) and isinstance(starts, np.ndarray)):
        return None
    if not (isinstance(shape, tuple) and len(shape) == 2 and len(starts) == shape[1] + 1):
        return None
    dense = np.zeros(shape)
    columns = np.repeat(np.arange(shape[1]), np.diff(starts))
    if len(columns) != len(rows) or len(rows) != len(data) or (len(rows) and rows.max() >= shape[0]):
        return None
    np.add.at(dense, (rows, columns), data)
    return dense
