# SPDX-License-Identifier: Apache-2.0
"""Motion of all kinds gathered for training: what is read, whose it is, who is held out, what is passed over."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.core.foreign_skeletons import foreign_clip, resting
from tests.core.motion_folders import amass_folder, swinging, write_amass, write_own_bvh
from tests.core.test_training import pack
from vendor_core.body import default_body
from vendor_core.errors import MotionError
from vendor_core.motion import Motion
from vendor_core.motion.bvh import write_bvh
from vendor_core.motion.bvh_motion import bvh_of
from vendor_core.npz import write_npz
from vendor_core.rotations import Y_UP_TO_Z_UP, exp_so3, rotation_angle
from vendor_core.skeleton import N_BODY
from vendor_core.training.amass_splits import AMASS_SPLIT, data_set
from vendor_core.training.gather import Gathered, gather, list_skipped, reasons
from vendor_core.training.people import motion_file, motion_files, parts_of


def gathered(*data: Path, split: str = "subjects", said: list[str] | None = None) -> Gathered:
    return gather(data, split, lambda _done, _text: None, (said if said is not None else []).append)


def test_amass_of_both_layouts_and_any_rate_gives_the_same_poses(tmp_path: Path) -> None:
    """A second of the same motion at 30, 60, 100 and 120 Hz, SMPL-H and SMPL-X: the same frames of 30 Hz."""
    sets = []
    for i in range(4):
        write_amass(tmp_path / str(i) / "who" / "a.npz", i, seconds=1.0)
        with np.load(tmp_path / str(i) / "who" / "a.npz") as file:
            arrays = dict(file)
        rate = next(float(arrays[key]) for key in arrays if key in ("mocap_framerate", "mocap_frame_rate", "fps"))
        body = swinging(0, int(10 * rate) // 8, rate, 0).reshape(-1, 66)  # 1.25 s, of which the middle second is used
        arrays["poses"] = np.pad(body, ((0, 0), (0, arrays["poses"].shape[1] - 66)))
        arrays["trans"] = np.zeros((len(body), 3))
        np.savez(tmp_path / str(i) / "who" / "a.npz", **arrays)
        sets.append(gathered(tmp_path / str(i)).train)
    assert len(sets[0]) > 40 and all(abs(len(one) - len(sets[0])) <= 2 for one in sets)
    truth = exp_so3(swinging(0, 1000, 800.0, 0))  # 1.25 s, finely
    for one in sets:
        half = one.R[: len(one) // 2]
        off = [rotation_angle(np.swapaxes(truth[:, 1:], -1, -2) @ R).max(1).min() for R in half]
        assert np.degrees(max(off)) < 1.0
        np.testing.assert_allclose(one.R_root[: len(half)], np.eye(3)[None].repeat(len(half), 0), atol=1e-5)


@pytest.mark.parametrize(
    ("folders", "person"),
    [
        ("AMASS/CMU/01/", "CMU/01"),
        ("AMASS/MPI_HDM05/bd/", "HDM05/bd"),
        ("x/HDM05/HDM05/bd/", "HDM05/bd"),
        ("BioMotionLab_NTroje/rub001/", "BMLrub/rub001"),
        ("Eyes_Japan_Dataset/hamada/", "EyesJapanDataset/hamada"),
        ("CMU/01/first day/", "CMU/01"),
        ("my dances/Ann/", "my dances/Ann"),
    ],
)
def test_the_folders_say_whose_a_file_is(tmp_path: Path, folders: str, person: str) -> None:
    assert motion_file(tmp_path / folders / "a.npz").person == person


def test_no_person_is_in_two_parts_and_one_in_ten_is_held_out(tmp_path: Path) -> None:
    for i in range(60):
        write_amass(tmp_path / f"set{i % 2}" / f"person{i % 30}" / f"{i}.npz", i)
    files = motion_files(tmp_path)
    parts, _ = parts_of(files, "subjects")
    train, val = ({file.person for file in parts[part]} for part in ("train", "val"))
    assert len(train) == 27 and len(val) == 3 and not train & val
    assert sum(map(len, parts.values())) == 60
    again, _ = parts_of(files[::-1], "subjects")
    assert {file.person for file in again["val"]} == val
    both = gathered(tmp_path / "set0", tmp_path / "set1")
    assert both.people == {"train": 27, "val": 3}
    assert parts_of(files[:1], "subjects")[0]["val"] == []


def test_the_published_split_goes_by_data_set_in_any_spelling(tmp_path: Path) -> None:
    root, said = amass_folder(tmp_path, 200), []
    found = gathered(root, split="amass", said=said)
    assert found.people == {"train": 10, "val": 10}
    assert len(said) == 1 and "mine/subject20" in said[0] and "CMU" not in said[0]
    for earlier, name in (("MPI_Limits", "PosePrior"), ("SSM_synced", "SSM"), ("TCD_handMocap", "TCDHands")):
        assert data_set(earlier) == data_set(name) == name
    names = [name for part in AMASS_SPLIT.values() for name in part]
    assert len(set(names)) == len(names) and all(data_set(name) == name for name in names)
    with pytest.raises(MotionError, match=r"none of .*mine/subject20.* expected folders called CMU"):
        gathered(root / "mine", split="amass")


class Canary:
    """What is executed where a pickle is loaded."""

    def __reduce__(self) -> tuple:
        return Path.touch, (Path(self.place),)

    def __init__(self, place: Path):
        self.place = str(place)


def broken_files(root: Path, canary: Path) -> dict[str, str]:
    """Files of a subject of their own, and a word of why each cannot be used."""
    for name, changes in {
        "poses": {"poses": None},
        "trans": {"trans": None},
        "nan": {"poses": np.full((7, 156), np.nan)},
        "joints": {"poses": np.zeros((7, 99))},
        "rate": {"mocap_framerate": np.array(np.nan)},
        "short": {"trans": np.zeros((3, 3))},
        "empty": {"poses": np.zeros((0, 156)), "trans": np.zeros((0, 3))},
    }.items():
        write_amass(root / f"{name}.npz", 0, **changes)
    trap = np.empty(1, dtype=object)
    trap[0] = Canary(canary)
    write_amass(root / "pickle.npz", 0, poses=trap)
    whole = (root / "short.npz").read_bytes()
    (root / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (root / "text.npz").write_text("nothing of the kind")
    (root / "raw.npz").write_bytes(pickle.dumps(Canary(canary)))
    (root / "bad.bvh").write_text("HIERARCHY\nROOT Hips\n{")
    return {
        "poses": 'lacks "poses"', "trans": 'lacks "trans"', "nan": "not a table of finite numbers",
        "joints": "99 numbers a frame", "rate": "frame rate nan", "short": "trans of shape (3, 3)", "empty": "0 poses",
        "pickle": "pickled objects", "cut": "truncated", "text": "truncated", "raw": "truncated", "bad": "skeleton",
    }  # fmt: skip


def test_broken_files_are_passed_over_and_listed(tmp_path: Path) -> None:
    canary = tmp_path / "executed"
    root = amass_folder(tmp_path / "data", 16)
    good = gathered(root)
    why = broken_files(root / "CMU" / "broken", canary)
    found, said = gathered(root), []
    assert {path.stem: why[path.stem] for path, reason in found.skipped.items() if why[path.stem] in reason} == why
    assert len(found.train) + len(found.held_out or ()) >= len(good.train)
    assert found.people == {"train": 1, "val": 1} and not canary.exists()
    listed = tmp_path / "prior.skipped.txt"
    list_skipped(listed, found, said.append)
    assert len(listed.read_text().splitlines()) == len(why) and "cut.npz\t" in listed.read_text()
    assert said[0].startswith("12 files were skipped (3: is no npz file, or is truncated; ") and str(listed) in said[0]
    assert sum(reasons(found.skipped).values()) == 12
    list_skipped(listed, good, said.append)
    assert not listed.exists() and len(said) == 1


def test_nothing_usable_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r"No motion in .*expected train\.npz there, or AMASS"):
        gathered(tmp_path)
    broken_files(tmp_path / "a" / "b", tmp_path / "executed")
    with pytest.raises(MotionError, match=r"None of the 12 motion files .* \(3: is no npz file") as error:
        gathered(tmp_path)
    assert "\n" not in str(error.value)
    with pytest.raises(MotionError, match="does not exist"):
        gathered(tmp_path / "nowhere")


def test_packs_and_folders_go_together(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    write_npz(tmp_path / "packs" / "train.npz", pack())
    amass_folder(tmp_path / "people", 32)
    write_own_bvh(tmp_path / "dances" / "Ann" / "a.bvh", 2)
    alone = gathered(tmp_path / "packs")
    found = gathered(tmp_path / "packs", tmp_path / "people", tmp_path / "dances" / "Ann" / "a.bvh")
    assert found.people["train"] + found.people["val"] == 5 and found.held_out is not None
    np.testing.assert_array_equal(found.train.R[: len(alone.train) // 2], alone.train.R[: len(alone.train) // 2])
    assert alone.held_out is None
    assert found.credits.texts()["attribution"] == "Trained by the user on packs/train.npz, people, a.bvh."


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    write_amass(tmp_path / "real" / "CMU" / "01" / "a.npz", 0)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "CMU").symlink_to(tmp_path / "real" / "CMU")
    (tmp_path / "real" / "CMU" / "01" / "again").symlink_to(tmp_path / "real")
    assert [file.person for file in motion_files(tmp_path / "linked")] == ["CMU/01"]


def test_bvh_of_ones_own_and_of_other_skeletons_gives_the_same_poses(tmp_path: Path) -> None:
    """Arms that hang 45 degrees lower at rest, in inches, 60 Hz: the same frames of 30 Hz, arms up to their twist."""
    poses = np.zeros((61, 55, 3))
    poses[:, :N_BODY] = swinging(3, 61, 60.0, 3)
    poses[:, [3, 6, 9]] = poses[:, [3]]  # what bends the spine is spread evenly over it
    motion = Motion(poses, np.zeros((61, 3)), 60.0)
    own, other = (tmp_path / name / "Ann" / "a.bvh" for name in ("own", "other"))
    for path in (own, other):
        path.parent.mkdir(parents=True)
    write_bvh(own, bvh_of(motion, default_body().rest_joints()))
    write_bvh(other, foreign_clip(default_body(), motion, resting(np.radians(45), 0.0), Y_UP_TO_Z_UP.T, 0.0254))
    sets = [gathered(path).train for path in (own, other)]
    truth = exp_so3(poses[::2, :N_BODY])
    for one, most in zip(sets, (0.1, 6.0), strict=True):
        half = one.R[: len(one) // 2]
        off = [rotation_angle(np.swapaxes(truth[:, 1:], -1, -2) @ R).max(1).min() for R in half]
        assert len(half) > 20 and np.degrees(max(off)) < most
        np.testing.assert_allclose(one.R_root[: len(half)], np.eye(3)[None].repeat(len(half), 0), atol=1e-3)
