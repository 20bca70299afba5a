# SPDX-License-Identifier: Apache-2.0
"""Training data from whatever holds motion: motion packs, and folders of AMASS and BVH files of many people.

Files that cannot be used are passed over and listed; among thousands there are always some.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..body import default_body
from ..errors import MotionError
from ..files import replaced_file
from ..motion.resample import resampled
from ..parallel import in_parallel
from ..retarget.load import load_motion
from ..rotations import Y_UP_TO_Z_UP, exp_so3, log_so3
from ..skeleton import N_BODY
from .credits import Credits, credits_of
from .data import Frames, PoseSet, frames_of, moved_frames, pack_files, pose_set, read_pack, rest_of
from .people import MotionFile, motion_file, motion_files, parts_of

RATE = 30.0
"""Hz, of motion packs; files of other rates are resampled."""

_SLOWEST = 10.0  # Hz; slower files are poses rather than motion, and taken as they are
_ENDS = 0.1  # of a take of AMASS at its start and end: people stand and wait there. As VPoser's preparation does
_REASONS = 3  # told in a line

Say = Callable[[str], None]
Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Gathered:
    """What to train on.

    `train` and `held_out` are on the skeleton that artists pose; `offsets` (22, 3) are the rest offsets of the one that
    the motion came on. `skipped` tells why files were not used. `people` counts those whose files were, in each part.
    Of the packs' people held out there are no files.
    """

    train: PoseSet
    held_out: PoseSet | None
    offsets: np.ndarray
    credits: Credits
    skipped: dict[Path, str]
    people: dict[str, int]
    held_out_files: list[MotionFile]


def gather(data: Sequence[Path], split: str, report: Report, say: Say) -> Gathered:
    """Read all that is to be trained on and to be measured with.

    Args:
        data: folders with train.npz (and val.npz); folders of AMASS npz and BVH files; files of each kind.
        split: of `people.SPLITS`, for the files; packs come split.
        report: called with the fraction done and a line of text.
        say: called with what the user should know in the end.

    Raises:
        MotionError: there is nothing to train on, or a motion pack is damaged.
    """
    pack_places, files = _sorted_out(data)
    packs = {part: [read_pack(file) for file in pack_files(pack_places, part)] for part in ("train", "val")}
    body = _body_rest()
    rest = rest_of(packs["train"][0]) if packs["train"] else body
    frames = {part: [frames_of(pack, rest) for pack in found] for part, found in packs.items()}
    skipped: dict[Path, str] = {}
    people, held_out_files = {"train": 0, "val": 0}, []
    if files:
        parts, left_out = parts_of(files, split)
        if left_out:
            say(f"Not in the split {split}, and left out: {', '.join(left_out[:12])}{', ...' * (len(left_out) > 12)}")
        read = _read([*parts["train"], *parts["val"]], rest, report, skipped)
        for part, usable in parts_of(list(read), split)[0].items() if read else ():  # of whom nothing is left is nobody
            frames[part] += [read[file] for file in usable]
            people[part] = len({file.person for file in usable})
            held_out_files = usable if part == "val" else held_out_files
    if not frames["train"]:
        raise MotionError(_nothing(data, files, skipped))
    names = [place.resolve().name for place in data]
    own = [name for name, place in zip(names, data, strict=True) if place not in pack_places]
    named = dict(zip(map(str, pack_files(pack_places, "train")), packs["train"], strict=True))
    source = pose_set(frames["train"], rest, mirror=True)
    return Gathered(
        train=replace(source, rest_joints=body),
        held_out=replace(pose_set(frames["val"], rest, mirror=False), rest_joints=body) if frames["val"] else None,
        offsets=source.offsets,
        credits=credits_of({_short(name): pack for name, pack in named.items()}, own),
        skipped=skipped,
        people=people,
        held_out_files=held_out_files,
    )


def _short(name: str) -> str:
    return "/".join(Path(name).resolve().parts[-2:])


def _body_rest() -> np.ndarray:
    """Rest joints (22, 3), the pelvis at the origin, of the skeleton that artists pose and the evaluation measures."""
    rest = default_body().joints_template[:N_BODY]
    return (rest - rest[0]).astype(np.float32)


def _sorted_out(data: Sequence[Path]) -> tuple[list[Path], list[MotionFile]]:
    """Packs and their folders, and the files of motion in all other folders."""
    packs: list[Path] = []
    files: dict[Path, MotionFile] = {}
    for place in data:
        if place.is_dir() and not (place / "train.npz").is_file():
            for file in motion_files(place):
                files.setdefault(file.path.resolve(), file)
        elif place.is_file() and not _is_pack(place):
            files.setdefault(place.resolve(), motion_file(place))
        else:
            packs.append(place)
    return packs, list(files.values())


def _is_pack(file: Path) -> bool:
    """Whether a file is to be read as a motion pack; what is neither is, too, for the sake of the message."""
    if file.suffix.lower() == ".bvh":
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return True
    return "ref_rest_offsets.npy" in names or "trans.npy" not in names


def _read(
    files: list[MotionFile], rest: np.ndarray, report: Report, skipped: dict[Path, str]
) -> dict[MotionFile, Frames]:
    """The frames of all files that can be used; why not, of the others, goes into `skipped`."""

    def read(file: MotionFile) -> Frames | str:
        try:
            return read_frames(file, rest)
        except MotionError as problem:
            return " ".join(str(problem).split())

    found: dict[MotionFile, Frames] = {}
    for i, (file, result) in enumerate(zip(files, in_parallel(read, files), strict=True)):
        if isinstance(result, Frames):
            found[file] = result
        else:
            skipped[file.path] = result
        report(i / len(files), f"reading motion, file {i + 1} of {len(files)}")
    return found


def read_frames(file: MotionFile, rest: np.ndarray) -> Frames:
    """The frames of an AMASS or BVH file, at 30 Hz or slower, thinned on rest joints (22, 3).

    Raises:
        MotionError: it is damaged, or holds no motion of a body.
    """
    R, _ = read_turns(file)
    kept, kind = moved_frames(R, rest, np.arange(len(R))), file.path.suffix.lower().lstrip(".")
    return Frames(log_so3(R[kept]), np.full(len(kept), file.person), np.full(len(kept), kind))


def read_turns(file: MotionFile) -> tuple[np.ndarray, bool]:
    """Rotations (F, 22, 3, 3), float32, the root's in a Y-up world first; and whether they are a motion of 30 Hz.

    Raises:
        MotionError: it is damaged, or holds no motion of a body.
    """
    motion = load_motion(file.path, default_body()).motion
    cut = int(_ENDS * len(motion)) if file.path.suffix.lower() == ".npz" else 0
    used, moves = slice(cut, len(motion) - cut), motion.rate > _SLOWEST
    motion = replace(motion, poses=motion.poses[used, :N_BODY], trans=motion.trans[used], frame_status=None)
    R = exp_so3(resampled(motion, RATE if moves else motion.rate).poses)
    R[:, 0] = Y_UP_TO_Z_UP.T @ R[:, 0]
    return R.astype(np.float32), moves


def reasons(skipped: dict[Path, str]) -> dict[str, int]:
    """How many files were skipped for each reason, the most frequent first; of the message what is not the file's."""
    short = (re.sub(r"^[\s:]+", "", why.replace(path.name, "", 1).split(";")[0]) for path, why in skipped.items())
    return dict(Counter(short).most_common())


def list_skipped(path: Path, gathered: Gathered, say: Say) -> None:
    """Write which files were skipped and why, a line each, and say so; of an earlier training the list is removed."""
    with suppress(OSError):
        path.unlink()
    if not gathered.skipped:
        return
    said = f"{len(gathered.skipped)} files were skipped ({told(gathered.skipped)})"
    try:
        with replaced_file(path) as file:
            file.write("".join(f"{name}\t{why}\n" for name, why in gathered.skipped.items()).encode())
        say(f"{said}; they are listed in {path}")
    except OSError as problem:
        say(f"{said}; the list {path} cannot be written ({problem.strerror})")


def told(skipped: dict[Path, str]) -> str:
    """The reasons in a few words."""
    counts = list(reasons(skipped).items())
    more = sum(n for _, n in counts[_REASONS:])
    return "; ".join([*(f"{n}: {why}" for why, n in counts[:_REASONS]), *([f"{more}: other reasons"] if more else [])])


def _nothing(data: Sequence[Path], files: list[MotionFile], skipped: dict[Path, str]) -> str:
    names = ", ".join(map(str, data))
    if skipped:
        return f"None of the {len(files)} motion files in {names} can be trained on ({told(skipped)})"
    return f"No motion in {names}; expected train.npz there, or AMASS .npz and .bvh files in folders of people"
