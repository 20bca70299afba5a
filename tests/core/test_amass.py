# SPDX-License-Identifier: Apache-2.0
"""AMASS files: bit-equal when read back, plain to other readers, all spellings, bad ones refused in a line."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.core.synthetic_bodies import body_arrays
from vendor_core.body import load_body
from vendor_core.errors import MotionError
from vendor_core.motion import Motion, read_motion, write_motion
from vendor_core.rotations import exp_so3

PARTS = {"root_orient": 3, "pose_body": 63, "pose_jaw": 3, "pose_eye": 6, "pose_hand": 90}


def some_motion(frames: int = 7, betas: int = 16, body_name: str = "") -> Motion:
    rng = np.random.default_rng(0)
    poses, trans = rng.standard_normal((frames, 55, 3)), rng.standard_normal((frames, 3))
    return Motion(poses, trans, 119.88, rng.standard_normal(betas), "female", body_name)


@pytest.mark.parametrize("body_name", ["", "default"])
def test_what_is_written_is_read_back_to_the_bit(tmp_path: Path, body_name: str) -> None:
    motion = some_motion(betas=10, body_name=body_name)
    write_motion(tmp_path / "m.npz", motion)
    back = read_motion(tmp_path / "m.npz")
    for name in ("poses", "trans", "betas"):
        assert getattr(back, name).tobytes() == getattr(motion, name).tobytes()
    assert (back.rate, back.gender, back.body_name) == (119.88, "female", body_name)
    write_motion(tmp_path / "again.npz", back)
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


def test_another_reader_finds_what_amass_files_hold(tmp_path: Path) -> None:
    motion = some_motion()
    write_motion(tmp_path / "m_stageii.npz", motion)
    file = np.load(tmp_path / "m_stageii.npz", allow_pickle=False)
    assert str(file["gender"]) == "female" and str(file["surface_model_type"]) == "smplx"
    assert float(file["mocap_frame_rate"]) == 119.88 and int(file["num_betas"]) == 16
    assert file["betas"].shape == (16,) and file["trans"].shape == (7, 3) and file["poses"].shape == (7, 165)
    joined = np.concatenate([file[name] for name in PARTS], axis=1)
    assert [file[name].shape[1] for name in PARTS] == list(PARTS.values())
    assert joined.tobytes() == file["poses"].tobytes() == motion.poses.tobytes()


def test_the_smplx_package_poses_the_same_from_the_parts(tmp_path: Path) -> None:
    torch, smplx = pytest.importorskip("torch"), pytest.importorskip("smplx")
    np.savez(tmp_path / "SMPLX_NEUTRAL.npz", **body_arrays("smplx"))
    motion, body = some_motion(betas=10), load_body(tmp_path / "SMPLX_NEUTRAL.npz")
    write_motion(tmp_path / "m.npz", motion)
    file = np.load(tmp_path / "m.npz", allow_pickle=False)
    model = smplx.SMPLX(str(tmp_path / "SMPLX_NEUTRAL.npz"), num_betas=10, batch_size=7, dtype=torch.float64, ext="npz",
                        use_pca=False, flat_hand_mean=True, num_expression_coeffs=10)  # fmt: skip
    given = {"global_orient": file["root_orient"], "body_pose": file["pose_body"], "jaw_pose": file["pose_jaw"],
             "leye_pose": file["pose_eye"][:, :3], "reye_pose": file["pose_eye"][:, 3:], "transl": file["trans"],
             "left_hand_pose": file["pose_hand"][:, :45], "right_hand_pose": file["pose_hand"][:, 45:],
             "betas": np.tile(file["betas"], (7, 1))}  # fmt: skip
    expected = model(**{name: torch.tensor(x) for name, x in given.items()}).joints[:, :55].detach()
    found = body.pose(exp_so3(motion.poses), motion.trans, motion.betas).joints
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("rate_key", ["mocap_framerate", "mocap_frame_rate", "fps"])
@pytest.mark.parametrize(("width", "hands"), [(165, slice(75, 165)), (156, slice(66, 156)), (66, None), (72, None)])
def test_every_layout_and_spelling(tmp_path: Path, rate_key: str, width: int, hands: slice | None) -> None:
    rng = np.random.default_rng(1)
    poses, trans = rng.standard_normal((4, width)).astype(np.float32), rng.standard_normal((4, 3))
    np.savez(tmp_path / "m.npz", poses=poses, trans=trans, gender=b"male", betas=np.ones(16), dmpls=np.ones((4, 8)),
             **{rate_key: 60})  # fmt: skip
    motion = read_motion(tmp_path / "m.npz")
    assert (motion.rate, motion.gender, len(motion.betas)) == (60.0, "male", 16)
    assert np.array_equal(motion.poses[:, :22].reshape(4, -1), poses[:, :66])
    expected = np.zeros((4, 90)) if hands is None else poses[:, hands]
    assert np.array_equal(motion.poses[:, 25:].reshape(4, -1), expected)


def test_parts_stand_in_for_missing_poses(tmp_path: Path) -> None:
    motion = some_motion()
    flat = motion.poses.reshape(7, -1)
    np.savez(tmp_path / "m.npz", root_orient=flat[:, :3], pose_body=flat[:, 3:66], pose_hand=flat[:, 75:], fps=30,
             trans=motion.trans)  # fmt: skip
    back = read_motion(tmp_path / "m.npz")
    assert np.array_equal(back.poses[:, :22], motion.poses[:, :22]) and not back.poses[:, 22:25].any()
    assert np.array_equal(back.poses[:, 25:], motion.poses[:, 25:])
    np.savez(tmp_path / "m.npz", root_orient=flat[:, :3], pose_body=flat[:, 3:60], trans=motion.trans)
    with pytest.raises(MotionError, match=r'"pose_body" has shape \(7, 57\); expected 63 numbers in 7 frames'):
        read_motion(tmp_path / "m.npz")


class Trap:
    """Writes a file where it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


def refused(path: Path, words: str) -> None:
    with pytest.raises(MotionError, match=words) as caught:
        read_motion(path)
    assert "\n" not in str(caught.value)


def test_pickles_are_never_executed(tmp_path: Path) -> None:
    trap = Trap(str(tmp_path / "sprung"))
    poses = np.empty(1, dtype=object)
    poses[0] = trap
    np.savez(tmp_path / "m.npz", poses=poses, trans=np.zeros((1, 3)))
    refused(tmp_path / "m.npz", "pickled objects, which Poise never opens")
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(trap))
    refused(tmp_path / "raw.npz", "no npz file")
    np.savez(tmp_path / "beside.npz", poses=np.zeros((1, 165)), trans=np.zeros((1, 3)), labels_obs=poses)
    assert len(read_motion(tmp_path / "beside.npz")) == 1 and not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("poses", "trans", "words"),
    [
        (np.full((3, 165), np.nan), np.zeros((3, 3)), '"poses" is not a table of finite numbers'),
        (np.zeros((3, 165)), np.full((3, 3), np.inf), '"trans" is not a table of finite numbers'),
        (np.zeros((3, 100)), np.zeros((3, 3)), "has 100 numbers a frame; expected 165"),
        (np.zeros((3, 165)), np.zeros((2, 3)), r"3 poses and trans of shape \(2, 3\)"),
        (np.zeros((0, 165)), np.zeros((0, 3)), "0 poses"),
        (np.full((3, 165), 1e9), np.zeros((3, 3)), "turns by 1e\\+09 radians"),
        (np.array([["a"] * 165]), np.zeros((1, 3)), "not a table of finite numbers"),
    ],
)
def test_bad_numbers_are_refused_in_a_line(tmp_path: Path, poses: np.ndarray, trans: np.ndarray, words: str) -> None:
    np.savez(tmp_path / "m.npz", poses=poses, trans=trans)
    refused(tmp_path / "m.npz", words)


@pytest.mark.parametrize("shape", [(10**9, 165), (10**18, 165)])
def test_an_array_that_claims_to_be_huge_takes_no_memory(tmp_path: Path, shape: tuple[int, int]) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("poses.npy", header.getvalue() + bytes(80))
    refused(tmp_path / "m.npz", "which takes .* bytes, and has")
