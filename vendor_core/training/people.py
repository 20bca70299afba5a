# SPDX-License-Identifier: Apache-2.0
"""Motion files in folders of people: which there are, whose they are, and who trains and who is held out.

AMASS keeps DATA SET/SUBJECT/take.npz, and so do folders of one's own, of BVH files too: the two folders above a file
say whose it is. No person is in two parts.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import MotionError
from .amass_splits import AMASS_SPLIT, data_set, published_part

SPLITS = ("subjects", "amass")
"""By person, one in ten held out; or by data set, as AMASS's published split has it."""

_KINDS = (".npz", ".bvh")
_SHAPES = ("shape.npz", "_stagei.npz")  # beside AMASS's motion: a body's betas, no motion
_HELD_OUT = 0.1


@dataclass(frozen=True)
class MotionFile:
    """A file, whose it is, and the data set of AMASS that it is of, None where it is of none."""

    path: Path
    person: str
    data_set: str | None


def motion_files(folder: Path) -> list[MotionFile]:
    """All npz and bvh files below a folder, links followed, in the order of their paths."""
    return [motion_file(path) for path in sorted(_walk(folder))]


def motion_file(path: Path) -> MotionFile:
    """Whose a file is: "CMU/01" of .../CMU/01/take.npz; data sets of AMASS are known by all their names."""
    folders = path.resolve().parts[:-1]
    for at in range(len(folders) - 1, 0, -1):
        if (known := data_set(folders[at])) is not None:
            return MotionFile(path, "/".join((known, *folders[at + 1 : at + 2])), known)
    return MotionFile(path, "/".join(folders[-2:]), None)


def _walk(folder: Path) -> Iterator[Path]:
    visited: set[str] = set()
    for place, below, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) in visited:  # links may lead in circles
            below.clear()
            continue
        visited.add(real)
        for name in names:
            if name.lower().endswith(_KINDS) and not name.lower().endswith(_SHAPES):
                yield Path(place, name)


def parts_of(files: Sequence[MotionFile], split: str) -> tuple[dict[str, list[MotionFile]], list[str]]:
    """The files to train on ("train") and to measure with ("val"), and data sets that the split has nowhere.

    Args:
        files: at least one.
        split: of `SPLITS`.

    Raises:
        MotionError: the split leaves nothing to train on.
    """
    if split == "amass":
        chosen = {file.person: published_part(file.data_set) for file in files}
        unknown = sorted({file.data_set or file.person for file in files if chosen[file.person] is None})
    else:
        held_out, unknown = _held_out(file.person for file in files), []
        chosen = {file.person: "val" if file.person in held_out else "train" for file in files}
    parts = {part: [file for file in files if chosen[file.person] == part] for part in ("train", "val")}
    if not parts["train"]:
        raise MotionError(
            f"The split {split} has none of {', '.join(sorted({f.data_set or f.person for f in files})[:6])} in its "
            f"training part; expected folders called {', '.join(AMASS_SPLIT['train'])}: or leave out --split"
        )
    return parts, unknown


def _held_out(people: Iterable[str]) -> set[str]:
    """One person in ten, at least one of two, by a hash of the name: the same ones everywhere, whatever the order."""
    ranked = sorted(set(people), key=lambda person: hashlib.sha256(person.encode()).digest())
    return set(ranked[: max(1, round(_HELD_OUT * len(ranked)))]) if len(ranked) > 1 else set()
