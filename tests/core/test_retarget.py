# SPDX-License-Identifier: Apache-2.0
"""Motions of other skeletons on the default body: whatever their rest pose, axes and unit, limbs point as they did."""

from pathlib import Path

import numpy as np
import pytest

from fuzz.mutations import mutated
from tests.core.foreign_skeletons import WRITTEN, foreign_clip, resting
from vendor_core.body import default_body
from vendor_core.errors import MotionError, PoiseError
from vendor_core.motion import Motion, write_motion
from vendor_core.motion.bvh import BvhClip, read_bvh, write_bvh
from vendor_core.motion.resample import resampled
from vendor_core.prior import interpolate_poses, load_prior
from vendor_core.retarget import leg_scale, load_motion
from vendor_core.retarget.by_rotation import retargeted
from vendor_core.retarget.skeleton import foreign_skeleton
from vendor_core.rotations import Y_UP_TO_Z_UP, exp_so3, log_so3, rotation_angle
from vendor_core.skeleton import JOINTS

LEFT_RIGHT = ("left", "right")
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in LEFT_RIGHT
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "middle1"),
                 ("index1", "index2"), ("thumb2", "thumb3"))
]  # fmt: skip
Y_UP = Y_UP_TO_Z_UP.T


@pytest.fixture(scope="module")
def known() -> Motion:
    """Two plausible poses and the way between them, turning and walking, with moving fingers."""
    prior = load_prior()
    R = interpolate_poses(prior, prior.decode(prior.sample(2, seed=4)), [20])
    poses = np.zeros((len(R), 55, 3))
    poses[:, 1:22] = log_so3(R)
    heading = exp_so3(np.linspace(0, 1.5, len(R))[:, None] * (0, 0, 1.0))
    poses[:, 0] = log_so3(heading @ Y_UP_TO_Z_UP)
    poses[:, 25:] = 0.3 * np.random.default_rng(0).standard_normal((30, 3)) * np.linspace(0, 1, len(R))[:, None, None]
    trans = np.array([0.3, 0.1, 1.3]) + np.linspace(0, 1, len(R))[:, None] * (0.5, -0.2, 0)
    return Motion(poses, trans, rate=60.0, body_name="default")


def directions(motion: Motion) -> np.ndarray:
    body = default_body()
    p = body.pose(exp_so3(motion.poses), motion.trans, motion.betas if len(motion.betas) else None).joints
    d = np.stack([p[:, JOINTS.index(b)] - p[:, JOINTS.index(a)] for a, b in LIMBS], axis=1)
    return d / np.linalg.norm(d, axis=-1, keepdims=True)


def degrees_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(a - b, axis=-1) / 2, 0, 1)))


def twists(a: Motion, b: Motion) -> np.ndarray:
    """Degrees (F, 55) between the joints' rotations in the world."""
    body = default_body()
    G, H = (body.pose(exp_so3(m.poses), m.trans).G for m in (a, b))
    return np.degrees(rotation_angle(np.swapaxes(G, -1, -2) @ H))


@pytest.mark.parametrize(
    ("arm", "foot", "world", "unit", "heading"),
    [
        (0, 0, Y_UP, 0.01, 0),  # T-pose, as Mixamo
        (50, 0, Y_UP, 0.01, 0),  # A-pose, as Unreal
        (50, 20, np.eye(3), 1.0, 180),  # Z up, feet turned out, facing backwards
        (80, 0, Y_UP, 0.0254, 90),  # arms hanging, facing to the side
        (0, 0, Y_UP, 0.01, 40),  # along no axis
    ],
)
def test_limbs_point_where_the_skeletons_do_whatever_its_rest_pose(
    known: Motion, arm: float, foot: float, world: np.ndarray, unit: float, heading: float
) -> None:
    rest = resting(np.radians(arm), np.radians(foot))
    clip = foreign_clip(default_body(), known, rest, world, unit, np.radians(heading))
    found = retargeted(clip, default_body())
    assert degrees_between(directions(found), directions(known)).max() < 1e-3
    body_and_hands = [j for j in WRITTEN if JOINTS[j] not in ("left_foot", "right_foot")]
    assert (
        twists(found, known)[:, body_and_hands].max() < 12
    )  # the shortest way down is not quite the way it was lowered
    assert twists(found, known)[:, : JOINTS.index("neck")].max() < 1
    assert np.abs(found.betas).max() < 1e-3 and np.abs(found.trans - known.trans).max() < 1e-4
    assert found.rate == 60 and found.body_name == "default"


@pytest.mark.parametrize("along", ["X", "anywhere"])
def test_a_skeleton_whose_offsets_are_no_pose_is_understood_from_its_motion(known: Motion, along: str) -> None:
    """As in LaFAN1, where every bone lies along X as long as nothing turns it."""
    rng, body = np.random.default_rng(1), default_body()
    rest = body.rest_joints()
    B = np.broadcast_to(np.eye(3), (55, 3, 3)).copy()
    for a, b in [*LIMBS, ("spine1", "spine2"), ("spine2", "spine3"), ("spine3", "neck"), ("neck", "head")]:
        d = rest[JOINTS.index(b)] - rest[JOINTS.index(a)]
        frame = np.linalg.qr(np.column_stack([d, rng.standard_normal((3, 2))]))[0]  # its first axis along the bone
        frame *= np.sign(frame[:, 0] @ d)
        frame[:, 2] *= np.linalg.det(frame)
        B[JOINTS.index(a)] = (np.eye(3) if along == "X" else exp_so3(rng.standard_normal(3))) @ frame.T
    clip = foreign_clip(body, known, B, Y_UP, 0.01)
    assert foreign_skeleton(clip).axes is None
    found = retargeted(clip, body)
    assert degrees_between(directions(found), directions(known)).max() < 1e-3
    off = twists(found, known)[:, [JOINTS.index(name) for name in ("pelvis", "left_knee", "right_elbow", "spine3")]]
    assert np.median(off) < 5


def test_a_taller_persons_legs_and_steps(known: Motion) -> None:
    clip = foreign_clip(default_body(), known, resting(0.0, 0.0), Y_UP, 0.01)
    taller = BvhClip(clip.names, clip.parents, 1.08 * clip.offsets, {}, clip.R_local, 1.08 * clip.p_local, clip.rate)
    body, found = default_body(), retargeted(taller, default_body())
    legs = [JOINTS.index(name) for name in ("left_hip", "left_knee", "left_ankle")]
    length = [float(np.linalg.norm(np.diff(p[legs], axis=0), axis=1).sum()) for p in
              (body.rest_joints(), body.rest_joints(found.betas))]  # fmt: skip
    assert 1.05 < length[1] / length[0] < 1.09 and np.abs(found.betas).max() < 3
    ankle = JOINTS.index("left_ankle")
    height = body.pose(exp_so3(found.poses), found.trans, found.betas).joints[:, ankle, 2]
    expected = length[1] / length[0] * body.pose(exp_so3(known.poses), known.trans).joints[:, ankle, 2]
    assert np.abs(height - expected).max() < 0.01


@pytest.mark.parametrize("spines", [0, 1, 2, 4])
def test_a_spine_of_any_number_of_joints_bends_as_far_in_all(known: Motion, spines: int) -> None:
    clip = foreign_clip(default_body(), known, resting(0.0, 0.0), Y_UP, 0.01)
    found = retargeted(_with_spine(clip, spines), default_body())
    if spines:
        chest = JOINTS.index("spine3")
        assert twists(found, known)[:, chest].max() < 1e-3
    else:
        assert np.abs(found.poses[:, [JOINTS.index(f"spine{i}") for i in (1, 2, 3)]]).max() < 1e-9
    assert degrees_between(directions(found), directions(known)).max() < 1e-3


def _with_spine(clip: BvhClip, spines: int) -> BvhClip:
    """The same motion with another number of joints between hips and chest; without any, chest and hips are one."""
    names, parents, R, p = list(clip.names), list(clip.parents), clip.R_local.copy(), clip.p_local.copy()
    offsets = clip.offsets.copy()
    _, G = clip.positions()
    where = [names.index(f"mixamorig:{name}") for name in ("Spine", "Spine1", "Spine2")]
    kept = {0: [], 1: where[2:], 2: where[::2], 4: where}[spines]
    chest = where[2] if spines else 0
    world, keep = clip.positions()[0], [j for j in range(len(names)) if j not in where or j in kept]
    above = {j: (parents[j] if parents[j] not in where else chest) for j in keep if parents[j] >= 0}
    for down, up in zip(kept, [0, *kept], strict=False):
        above[down] = up
    for j, up in above.items():
        R[:, j] = np.swapaxes(G[:, up], -1, -2) @ G[:, j]
        p[:, j] = (np.swapaxes(G[:, up], -1, -2) @ (world[:, j] - world[:, up])[..., None])[..., 0]
        offsets[j] = p[0, j] if parents[j] == up else _rest(clip)[j] - _rest(clip)[up]
    order = {j: i for i, j in enumerate(keep)}
    names, parents = [names[j] for j in keep], [order.get(above.get(j, -1), -1) for j in keep]
    new = BvhClip(tuple(names), tuple(parents), offsets[keep], {}, R[:, keep], p[:, keep], clip.rate)
    if spines < 4:
        return new
    at = new.names.index("mixamorig:Spine1")  # a fourth joint that turns half of what the third does
    half = exp_so3(0.5 * log_so3(new.R_local[:, at]))
    R, p, offsets = new.R_local, new.p_local, new.offsets
    R = np.concatenate([R[:, :at], half[:, None], half[:, None], R[:, at + 1 :]], axis=1)
    p = np.concatenate([p[:, : at + 1], 0 * p[:, :1], p[:, at + 1 :]], axis=1)
    offsets = np.concatenate([offsets[: at + 1], 0 * offsets[:1], offsets[at + 1 :]])
    parents = [up + (up >= at) for up in new.parents]
    parents = [*new.parents[: at + 1], at, *parents[at + 1 :]]
    names = (*new.names[: at + 1], "mixamorig:Spine1b", *new.names[at + 1 :])
    return BvhClip(names, tuple(parents), offsets, {}, R, p, clip.rate)


def _rest(clip: BvhClip) -> np.ndarray:
    rest = np.zeros_like(clip.offsets)
    for j, up in enumerate(clip.parents):
        rest[j] = clip.offsets[j] + (rest[up] if up >= 0 else 0)
    return rest


def test_the_file_says_the_same_as_the_clip(known: Motion, tmp_path: Path) -> None:
    clip = foreign_clip(default_body(), known, resting(np.radians(45), 0.0), Y_UP, 0.01)
    write_bvh(tmp_path / "a.bvh", clip)
    found = retargeted(read_bvh(tmp_path / "a.bvh"), default_body())
    assert degrees_between(directions(found), directions(known)).max() < 0.01


def test_damaged_skeletons_are_understood_or_refused(known: Motion, tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "case.bvh"
    write_bvh(path, foreign_clip(default_body(), known, resting(0.5, 0.0), Y_UP, 0.01))
    good = path.read_bytes()
    skeleton, frames = good.split(b"MOTION")
    table = frames.split(b"\n")
    short = b"\n".join([*skeleton.split(b"\n"), b"MOTION", b"Frames: 2", *table[2:5], b""])
    understood = 0
    for _ in range(150):
        path.write_bytes(mutated(short, [short], rng))
        try:
            with np.errstate(all="ignore"):
                motion = load_motion(path, default_body()).motion
        except PoiseError as problem:
            assert "\n" not in str(problem)
            continue
        understood += 1
        assert np.isfinite(motion.poses).all() and np.isfinite(motion.trans).all() and np.isfinite(motion.betas).all()
    assert understood


def test_feet_of_a_person_of_unknown_shape_stand_on_the_floor(known: Motion) -> None:
    body, betas = default_body(), np.zeros(10)
    betas[0] = 2.0
    rest, feet = (
        body.rest_joints(betas),
        [JOINTS.index(f"{s}_{part}") for s in LEFT_RIGHT for part in ("ankle", "foot")],
    )
    skin = body.pose(np.broadcast_to(np.eye(3), (55, 3, 3)), betas=betas, vertices=True).vertices
    assert skin is not None
    sole = skin[:, 1].min()
    p = body.pose(exp_so3(known.poses), 0 * known.trans, betas).joints[:, feet, 2]
    lift = np.abs(np.sin(np.linspace(0, 9, len(p)))) * 0.2  # it hops, and stands now and then
    trans = np.stack([known.trans[:, 0], 0 * lift, lift - (p - (rest[feet, 1] - sole)).min(1)], axis=1)
    scale = leg_scale(Motion(known.poses, trans), body.rest_joints())
    ratio = np.ptp(body.rest_joints()[[0, 7], 1]) / np.ptp(rest[[0, 7], 1])
    assert ratio < 0.95 and scale == pytest.approx(ratio, abs=0.02)
    assert leg_scale(Motion(known.poses, trans), rest) == pytest.approx(1, abs=0.02)
    lying = np.concatenate([0 * known.poses[:, :1], known.poses[:, 1:]], axis=1)
    assert leg_scale(Motion(lying, np.zeros_like(trans)), rest) == 1.0


def test_betas_that_mean_nothing_to_the_body_are_left_out_and_said(known: Motion, tmp_path: Path) -> None:
    body = default_body()
    for name, betas, expected in (("default", np.full(10, 0.5), 0.5), ("", np.full(16, 0.5), 0.0)):
        write_motion(tmp_path / "m.npz", Motion(known.poses, known.trans, 60.0, betas, body_name=name))
        loaded = load_motion(tmp_path / "m.npz", body)
        assert np.allclose(loaded.motion.betas, expected) and len(loaded.motion.betas) == 10
        assert (loaded.rest_joints is None) == (not name) == ("another kind" in loaded.note)
    with pytest.raises(MotionError, match=r"m\.fbx is of no format known"):
        load_motion(tmp_path / "m.fbx", body)


def test_another_rate_keeps_frames_that_fall_together_and_the_speed(known: Motion) -> None:
    third = resampled(known, 20.0)
    assert len(third) == 7 and third.poses.tobytes() == known.poses[::3].tobytes()
    odd = resampled(known, 24.0)
    assert odd.rate == 24 and len(odd) == 1 + int((len(known) - 1) * 24 / 60)
    fine = resampled(known, 600.0)
    off = rotation_angle(np.swapaxes(exp_so3(odd.poses), -1, -2) @ exp_so3(fine.poses[::25][: len(odd)]))
    assert np.degrees(off).max() < 0.01 and np.allclose(odd.trans, fine.trans[::25][: len(odd)])
    assert resampled(known, 60.0) is known
    with pytest.raises(MotionError, match=r"makes \d+ frames"):
        resampled(known, 1e9)
