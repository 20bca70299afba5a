# SPDX-License-Identifier: Apache-2.0
"""Figures of real takes, solved whole as the verb `solve` does it: `python -m recipes.take_figures FOLDER`.

FOLDER holds `c3d/*.c3d` and `motion/train.npz`. Two tables, one line a take. As they are: what the labels were taken
for, how near the markers the body comes, how fast, how far feet slip while their markers stand still, and how the limbs
point beside the joints that other software found, where there are such: in clips of the motion pack that were recorded
as these takes, or in segment ends that Plug-in Gait wrote into the file.

Spoilt (`take_faults`): the share of marker-frames that get the right marker where all labels are gone, trajectories
broken at their gaps; the share whose labels are right after 5 % of them were swapped, and how far that moves joints;
and where the joints of a limb are whose markers are unseen for a second, all by the side of the whole take's solution.
A star: with labels that the file itself has wrong put right (`MISNAMED`).
"""

from argparse import ArgumentParser
from pathlib import Path
from time import perf_counter

import numpy as np

from bench.metrics import limb_angle
from bench.motion import PACK_RATE
from bench.takes import PAIRED, motion_joints, solve_quietly
from recipes.take_faults import LIMBS, MISNAMED, labelled_right, with_swaps, without_labels, without_limb
from vendor_core.body import default_body
from vendor_core.errors import PoiseError
from vendor_core.evaluation.metrics import joint_error
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.label_take import label_take
from vendor_core.mocap.layouts import map_markers
from vendor_core.mocap.solve_take import TakeOptions, TakeSolution
from vendor_core.prior import load_prior

TOES = ("LTOE", "LMT1", "LMT5", "LTIP")
SLOW, LOW, AROUND = 0.2, 0.05, 0.1  # m/s and metres above its lowest, at which a marker stands; seconds averaged over
SEGMENTS = {1: "LFEP", 4: "LFEO", 7: "LTIO", 16: "LHUP", 18: "LHUO", 20: "LRAO"}
"""Joints as Plug-in Gait names the segments' ends: of femur, tibia, humerus and radius; the left side."""


FIT = "layout        confidence  frames  lost  median mm  rejected %  seconds (recorded)  slip mm/frame  limbs deg"
SPOILT = "unlabelled: right % (points, s)   swapped: right %  joints mm   unseen for 1 s, mm: " + ", ".join(LIMBS)
SWAPPED, SECOND = 0.05, 1.0
JOINTS = {"left arm": (18, 20), "right arm": (19, 21), "left leg": (4, 7, 10), "right leg": (5, 8, 11)}
"""Those that a limb's own markers tell of."""


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--take", help="of one take only, by the file's name without .c3d")
    options = parser.parse_args()
    spoilt = []
    print(f"{'take':38s}{FIT}")
    for file in sorted((options.folder / "c3d").glob(f"{options.take or '*'}.c3d")):
        take, began = read_c3d(file), perf_counter()
        try:
            solution = solve_quietly(take, TakeOptions())
        except PoiseError as problem:
            print(f"{file.stem:38s}{problem}")
            continue
        seconds = perf_counter() - began
        print(line_of(file.stem, take, solution, seconds, limbs(options.folder, file.stem, take, solution)), flush=True)
        spoilt.append((file.stem, take, solution))
    print(f"\n{'take':38s}{SPOILT}")
    for name, take, solution in spoilt:
        print(f"{name:38s}{unlabelled(name, take)}{swapped(take, solution)}{unseen(take, solution)}", flush=True)


def unlabelled(name: str, take: C3D) -> str:
    bare, truth = without_labels(take, seed=0)
    began = perf_counter()
    try:
        found = label_take(bare, "auto", default_body(), load_prior(), lambda fraction, text: None)
    except PoiseError as problem:
        return f"{problem}  "
    seconds = perf_counter() - began
    right = 100 * labelled_right(bare, truth, found)
    if name in MISNAMED:
        corrected = 100 * labelled_right(bare, truth, found, MISNAMED[name])
        return f"{right:9.2f}, {corrected:.2f}* ({len(truth):6d}, {seconds:4.1f})"
    return f"{right:17.2f} ({len(truth):6d}, {seconds:4.1f})"


def swapped(take: C3D, whole: TakeSolution) -> str:
    spoilt, order = with_swaps(take, map_markers(take), SWAPPED, seed=0)
    solution = solve_quietly(spoilt, TakeOptions())
    seen = np.isfinite(solution.residual)
    right = 100 * float(np.mean((solution.order == order)[seen]))
    return f"{right:18.3f}{joint_error(motion_joints(solution.motion), motion_joints(whole.motion)):11.2f}"


def unseen(take: C3D, whole: TakeSolution) -> str:
    n = round(SECOND * take.rate)
    if len(take.points) < 2 * n:
        return "   the take is too short"
    first, there, figures = (len(take.points) - n) // 2, motion_joints(whole.motion), []
    for limb, joints in JOINTS.items():
        spoilt, _ = without_limb(take, map_markers(take), limb, first, n)
        found, rows = motion_joints(solve_quietly(spoilt, TakeOptions()).motion), slice(first, first + n)
        figures.append(joint_error(found[rows][:, joints], there[rows][:, joints]))
    return "   " + ", ".join(f"{figure:.1f}" for figure in figures)


def line_of(name: str, take: C3D, solution: TakeSolution, seconds: float, angle: float | None) -> str:
    s = solution.summary
    recorded, lost = len(take.points) / take.rate, len(take.points) - s["frame_status"].get("solved", 0)
    limb = "" if angle is None else f"{angle:.2f}"
    return (
        f"{name:38s}{s['layout']:14s}{s['confidence']:10.2f}{s['frames']:8d}{lost:6d}{s['median_mm']:11.2f}"
        f"{100 * s['rejected_fraction']:12.2f}{seconds:10.2f} ({recorded:6.2f}){slip(solution):15.2f}{limb:>11s}"
    )


def slip(solution: TakeSolution) -> float:
    """How far feet slip in a frame, mm, the 95th percentile: a foot's joint while its toe marker stands still."""
    joints, rate = motion_joints(solution.motion), solution.motion.rate
    found = []
    for side, foot in (("L", 10), ("R", 11)):
        toe = next((solution.labels.index(n) for n in (side + t[1:] for t in TOES) if n in solution.labels), None)
        if toe is not None:
            stands = _stands(solution.markers[:, toe], rate)
            step = np.linalg.norm(np.diff(joints[:, foot, :2], axis=0), axis=-1)
            found.append(step[stands[1:] & stands[:-1]])
    steps = np.concatenate(found) if found else np.zeros(0)
    return 1e3 * float(np.quantile(steps, 0.95)) if len(steps) else float("nan")


def _stands(p: np.ndarray, rate: float) -> np.ndarray:
    """(F,) whether a marker (F, 3) is low, and slow on average over a tenth of a second."""
    reach = max(1, round(0.5 * AROUND * rate))
    speed = np.full(len(p), np.inf)
    speed[reach:-reach] = np.linalg.norm(p[2 * reach :] - p[: -2 * reach], axis=-1) * rate / (2 * reach)
    return (speed < SLOW) & (p[:, 2] < np.nanquantile(p[:, 2], 0.02) + LOW)


def limbs(folder: Path, name: str, take: C3D, solution: TakeSolution) -> float | None:
    """Mean angle of eight limb bones, degrees, to joints that others found of the same take; None without any."""
    joints = motion_joints(solution.motion)
    if all(label in take.labels for label in SEGMENTS.values()):
        truth = np.full_like(joints, np.nan)
        for joint, label in SEGMENTS.items():
            for j, side in ((joint, "L"), (joint + 1, "R")):
                truth[:, j] = take.points[:, take.labels.index(side + label[1:])]
        return limb_angle(joints, truth)
    clip = name.removeprefix("cmu_")
    if clip not in PAIRED:
        return None
    pack = np.load(folder / "motion" / "train.npz")
    c = pack["clip_id"].tolist().index(clip)
    truth = pack["joints"][pack["start"][c] :][: pack["length"][c]].astype(np.float64)[..., [2, 0, 1]]  # Z up
    mine = joints[:: round(take.rate / PACK_RATE)]
    n = min(len(mine), len(truth))
    return limb_angle(mine[:n], truth[:n])


if __name__ == "__main__":
    main()
