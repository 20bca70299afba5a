# SPDX-License-Identifier: Apache-2.0
"""Figures of `repair` and `denoise` on people that no prior has seen: `python -m recipes.plausibility_figures FOLDER`.

Single poses broken as in the evaluation's protocol; and the middle two seconds of clips, clean and spoilt: every joint
turned by noise that moves joints by about 20, 40 and 100 mm, the pelvis shifted too, or one joint turned by 45 to 90
degrees in every tenth frame or for five frames at a time.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation.data import SEED, EvaluationData, read_evaluation_data
from vendor_core.evaluation.implausible import broken_poses
from vendor_core.evaluation.metrics import acceleration_error, auc, joint_error
from vendor_core.evaluation.neighbours import NearestPose
from vendor_core.ik.denoise import denoise
from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import load_plausibility
from vendor_core.prior.repair import repair
from vendor_core.rotations import exp_so3, rotation_angle
from vendor_core.skeleton import BODY_JOINTS

FRAMES, RATE, CLIPS, POSES = 60, 30.0, 12, 500
FEET = [BODY_JOINTS.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("ankle", "foot")]
Pair = tuple[np.ndarray, np.ndarray]


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=("test", "val"), default="val")
    options = parser.parse_args()
    data = read_evaluation_data(options.folder, options.split)
    print_rare(data)
    print_repair(data)
    print_denoising([clip for clip in data.clips if len(clip) >= FRAMES])


def print_rare(data: EvaluationData) -> None:
    """Real poses that are unlike all training poses, beside broken ones."""
    whole, plausibility = data.some(POSES).astype(np.float64), load_plausibility()
    far = NearestPose(data, data.train.R).distances(whole)
    rare = far >= np.quantile(far, 0.9)
    bad = plausibility.log_odds(broken_poses(whole, data.train.R)["one_joint"])[:, -1]
    print(f"{'real poses':24s} from training, mm   plausibility   below 0.05   AUC against one_joint")
    for name, rows in (("the nine nearest tenths", ~rare), ("the farthest tenth", rare)):
        score, odds = plausibility.score(whole[rows]), plausibility.log_odds(whole[rows])[:, -1]
        shares = f"{np.median(score):12.3f}   {np.mean(score < 0.05):10.3f}   {auc(odds, bad):21.3f}"
        print(f"{name:24s} {np.median(far[rows]):17.1f}   {shares}")


def print_repair(data: EvaluationData) -> None:
    """Of single poses: all joints, mm, pelvis at rest; broken joints, degrees; milliseconds for one."""
    whole = data.some(POSES).astype(np.float64)
    prior, plausibility = load_prior(), load_plausibility()
    print(f"{len(whole)} poses; mm before -> after of all joints, degrees of the broken joints, median plausibility")
    damaged = broken_poses(whole, data.train.R)
    for name, broken in {"clean": whole, **damaged}.items():
        fixed = repair(prior, plausibility, broken)
        there = (broken != whole).any((-1, -2))
        mm = [joint_error(data.joints(R), data.joints(whole)) for R in (broken, fixed)]
        degrees = [np.degrees(rotation_angle(np.swapaxes(R, -1, -2) @ whole))[there] for R in (broken, fixed)]
        angles = " -> ".join(f"{x.mean() if len(x) else 0.0:5.1f}" for x in degrees)
        scores = " -> ".join(f"{np.median(plausibility.score(R)):.3f}" for R in (broken, fixed))
        print(f"{name:24s} joints {mm[0]:6.1f} -> {mm[1]:5.1f}   broken {angles}   plausibility {scores}")
    began = process_time()
    for R in damaged["one_joint"][:50]:
        repair(prior, plausibility, R)
    print(f"one pose, one_joint: {20 * (process_time() - began):.0f} ms of processor time")


def print_denoising(long: list[np.ndarray]) -> None:
    """Of clips: all joints and the feet, mm, and accelerations, mm/frame^2."""
    chosen = [long[i] for i in np.random.default_rng(SEED).permutation(len(long))[:CLIPS]]
    clips = [clip[(len(clip) - FRAMES) // 2 :][:FRAMES].astype(np.float64) for clip in chosen]
    print(f"{len(clips)} clips of {FRAMES} frames; mm before -> after of all joints, of the feet, and mm/frame^2")
    for name, spoil in SPOILT.items():
        rng = np.random.default_rng(SEED)
        m = np.mean([figures(clip, *spoil(clip, rng)) for clip in clips], axis=0)
        text = "   ".join(
            f"{what} {a:6.1f} -> {b:5.1f}" for what, (a, b) in zip(("joints", "feet", "acc"), m, strict=True)
        )
        print(f"{name:24s} {text}", flush=True)


def figures(clip: np.ndarray, R: np.ndarray, trans: np.ndarray) -> list[list[float]]:
    """Errors (3, 2) of joints, feet and accelerations, before and after."""
    body = default_body()
    clean = denoise(body, load_prior(), load_plausibility(), R, trans, RATE)
    truth, before, after = (
        body.pose(R, trans).joints[:, :22] for R, trans in ((clip, np.zeros((len(clip), 3))), (R, trans), clean)
    )
    return [
        [joint_error(p, truth) for p in (before, after)],
        [joint_error(p[:, FEET], truth[:, FEET]) for p in (before, after)],
        [acceleration_error(p, truth) for p in (before, after)],
    ]


def noise(degrees: float, metres: float) -> Callable[[np.ndarray, np.random.Generator], Pair]:
    """Noise of every joint's turn about each axis, and of the pelvis' place along each axis."""

    def spoil(R: np.ndarray, rng: np.random.Generator) -> Pair:
        turns = np.radians(degrees) * rng.normal(size=(*R.shape[:2], 3))
        return R @ exp_so3(turns), metres * rng.normal(size=(len(R), 3))

    return spoil


def outliers(run: int) -> Callable[[np.ndarray, np.random.Generator], Pair]:
    """One joint turned by 45 to 90 degrees for some frames, again and again."""

    def spoil(R: np.ndarray, rng: np.random.Generator) -> Pair:
        R = R.copy()
        for first in range(3, len(R) - run, max(10, 3 * run)):
            axis = rng.normal(size=3)
            turn = exp_so3(axis / np.linalg.norm(axis) * np.radians(rng.uniform(45, 90)))
            joint = rng.integers(1, R.shape[1])
            R[first : first + run, joint] = R[first : first + run, joint] @ turn
        return R, np.zeros((len(R), 3))

    return spoil


SPOILT = {
    "clean": noise(0, 0), "noise, 20 mm": noise(1.4, 0.005), "noise, 40 mm": noise(2.8, 0.01),
    "noise, 100 mm": noise(7.0, 0.025), "a joint for one frame": outliers(1), "a joint for five frames": outliers(5),
}  # fmt: skip

if __name__ == "__main__":
    main()
