# SPDX-License-Identifier: Apache-2.0
"""Training that goes on where it was killed: everything that decides the rest of it, in one file beside the output.

The file is replaced as a whole, so there is always a good one once there is one. It is read without unpickling objects.
"""

import io
import os
import pickle
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import PriorError
from ..files import replaced_file

# What torch's reader of plain tensors can raise on a file that is damaged, or no checkpoint.
_DAMAGE = (
    OSError, EOFError, RuntimeError, ValueError, TypeError, AttributeError, LookupError, zipfile.BadZipFile, zlib.error,
    pickle.UnpicklingError,
)  # fmt: skip

FORMAT = "poise checkpoint 1"
EVERY = 30.0
"""Seconds of training from one checkpoint to the next."""


def checkpoint_path(out: Path) -> Path:
    """Where the training of a file keeps its checkpoint."""
    return out.with_name(f"{out.stem}.checkpoint")


@dataclass
class Checkpoint:
    """The checkpoint of a training.

    Args:
        path: the file.
        facts: what must be equal for a training to be the same one, by its name for the user.
        every: seconds from one to the next.
        say: called with what the user should know.
    """

    path: Path
    facts: dict[str, Any]
    every: float
    say: Callable[[str], None]
    last: float = field(default_factory=time.monotonic)
    trouble: str = ""

    def load(self) -> dict[str, Any] | None:
        """The state to go on from, or None where there is no checkpoint.

        Raises:
            PriorError: it is damaged, or of another training.
        """
        if not self.path.exists():
            return None
        state = _read(self.path)
        for name, wanted in self.facts.items():
            found = state["facts"].get(name)
            if found != wanted:
                raise PriorError(
                    f"{self.path} is of a training with {name} {found}, this one has {wanted}; give what it was begun "
                    "with to go on, or delete it to begin anew"
                )
        return state

    def save_if_due(self, state: Callable[[], dict[str, Any]], now: bool = False) -> None:
        """Save what `state` answers, now or if enough time has passed. Where that fails the last good one stays."""
        if not now and time.monotonic() - self.last < self.every:
            return
        try:
            self._write(state() | {"format": FORMAT, "facts": self.facts})
            self.trouble = ""
        except OSError as problem:
            kept = "the last good one stays" if self.path.exists() else "there is none yet"
            trouble = f"No checkpoint could be written to {self.path} ({problem.strerror}); {kept}, training goes on"
            if trouble != self.trouble:
                self.say(trouble)
            self.trouble = trouble
        self.last = time.monotonic()

    def _write(self, state: dict[str, Any]) -> None:
        import torch

        whole = io.BytesIO()  # first: torch hides what goes wrong with a file behind errors of its own
        torch.save(state, whole)
        with replaced_file(self.path) as file:
            file.write(whole.getbuffer())
            file.flush()
            os.fsync(file.fileno())  # a name must not come to stand for bytes that a failing machine never wrote

    def remove(self) -> None:
        """Delete it: the training is done."""
        with suppress(OSError):
            self.path.unlink()


def _read(path: Path) -> dict[str, Any]:
    import torch

    try:
        with zipfile.ZipFile(path) as archive:  # before torch takes it for a pickle of old; torch checks no sums
            if (bad := archive.testzip()) is not None:
                raise ValueError(f"{bad} does not add up")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as problem:
        why = f"{type(problem).__name__}: {str(problem).partition(chr(10))[0][:80]}"
        raise PriorError(f"{path} cannot be read ({why}); delete it to begin anew") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT or not isinstance(state.get("facts"), dict):
        raise PriorError(f"{path} is no checkpoint of a training; delete it to begin anew, or choose another output")
    return state
