# SPDX-License-Identifier: Apache-2.0
"""Messages between Blender and the worker: framed JSON with arrays beside it, the same in both directions.

A frame is b"PSE1", the lengths of its two parts as little-endian uint32, a JSON object, and an npz archive or nothing.
"""

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import PoiseError

MAGIC = b"PSE1"
MAX_JSON = 1 << 24
MAX_BLOB = 1 << 30
_HEADER = struct.Struct("<4sII")


class FrameError(PoiseError):
    """The other side sent bytes that are no message."""


@dataclass(frozen=True)
class Message:
    """One message: its JSON object and the arrays sent along."""

    fields: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return str(self.fields.get("type", ""))

    @property
    def id(self) -> int | None:
        return self.fields.get("id")

    @property
    def data(self) -> dict[str, Any]:
        return self.fields.get("data", {})


def pack(fields: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """The bytes of one message.

    Raises:
        FrameError: it is larger than a reader would take.
    """
    text = json.dumps(fields).encode()
    blob = _npz(arrays) if arrays else b""
    _check_lengths(len(text), len(blob))
    return _HEADER.pack(MAGIC, len(text), len(blob)) + text + blob


class FrameReader:
    """Turns bytes, as they come in pieces of any size, into messages."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, piece: bytes) -> list[Message]:
        """The messages that are complete with this piece.

        Raises:
            FrameError: the bytes are no message, or announce one larger than the limits.
        """
        self._pending += piece
        messages = []
        while len(self._pending) >= _HEADER.size:
            magic, n_text, n_blob = _HEADER.unpack_from(self._pending)
            if magic != MAGIC:
                raise FrameError(f"Expected a message of the worker, found the bytes {bytes(magic)!r}")
            _check_lengths(n_text, n_blob)
            end = _HEADER.size + n_text + n_blob
            if len(self._pending) < end:
                break
            body = bytes(self._pending[_HEADER.size : end])
            del self._pending[:end]
            messages.append(_unpack(body[:n_text], body[n_text:]))
        return messages


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # not compressed: it goes through a pipe
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    return buffer.getvalue()


def _check_lengths(n_text: int, n_blob: int) -> None:
    if n_text > MAX_JSON or n_blob > MAX_BLOB:
        limits = f"{MAX_JSON >> 20} MB of text and {MAX_BLOB >> 20} MB of arrays"
        raise FrameError(f"A message of {n_text:,} + {n_blob:,} bytes is too large; at most {limits} are taken")


def _unpack(text: bytes, blob: bytes) -> Message:
    try:
        fields = json.loads(text)
        if not isinstance(fields, dict):
            raise FrameError(f"Expected a message as a JSON object, found {type(fields).__name__}")
        if not blob:
            return Message(fields)
        with np.load(io.BytesIO(blob), allow_pickle=False) as archive:
            return Message(fields, {name: archive[name] for name in archive.files})
    except (ValueError, zipfile.BadZipFile, EOFError, OSError) as problem:
        raise FrameError(f"A message of the worker is damaged ({problem})") from None
