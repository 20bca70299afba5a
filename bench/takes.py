# SPDX-License-Identifier: Apache-2.0
"""Whole takes, from markers to motion, as the verb `solve` does it: how fast, how near the markers and the truth."""

from time import perf_counter

import numpy as np

from vendor_core.body import default_body
from vendor_core.errors import LayoutError
from vendor_core.evaluation.metrics import joint_error
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.fingers import finger_of
from vendor_core.mocap.marker_points import place_markers
from vendor_core.mocap.placement_table import placement_table
from vendor_core.mocap.solve_take import TakeOptions, TakeSolution, solve_take
from vendor_core.motion import Motion
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import N_BODY

from .machine import peak_memory
from .metrics import limb_angle
from .motion import PACK_RATE, long_clip, pack_of
from .rows import Benchmark, Figure, Outcome, Settings, Unavailable
from .takes_made import Faults, record

_LONG_FRAMES, _LONG_MARKERS = 36_000, 60
_FRAMES, _RATE = 6000, 120.0  # Hz: 50 seconds
PAIRED = ("02_01", "01_01")  # takes that the motion pack holds too, as clips of its train split


def motion_joints(motion: Motion) -> np.ndarray:
    """(F, 22, 3) metres, Z up: the joints of a solved motion of the default body."""
    betas = np.broadcast_to(motion.betas, (len(motion), len(motion.betas)))
    return default_body().pose(exp_so3(motion.poses[:, :N_BODY]), motion.trans, betas).joints[:, :N_BODY]


def solve_quietly(take: C3D, options: TakeOptions) -> TakeSolution:
    """Solve a take of the default body with the default prior."""
    return solve_take(take, default_body(), load_prior(), options, lambda fraction, text: None)


def _made_take(settings: Settings) -> list[Outcome]:
    made = record(long_clip(settings, _FRAMES, _RATE), default_body(), faults=Faults(noise=0.001))
    take = made.c3d()
    solve_quietly(take, TakeOptions(last=30))
    began = perf_counter()
    solution = solve_quietly(take, TakeOptions())
    speed = _FRAMES / (perf_counter() - began)
    note = f"{_FRAMES} frames at {_RATE:g} Hz, 1 mm noise, the subject's shape and marker offsets found first"
    error = joint_error(motion_joints(solution.motion), made.joints)
    return [Outcome(speed, "the recording", _RATE, note), Outcome(error, note=note)]


def _real_takes(settings: Settings) -> list[Outcome]:
    files = sorted((settings.data / "c3d").glob("*.c3d"))
    if not files:
        raise Unavailable(f"the development data is not here: no takes in {settings.data.name}/c3d")
    speed: dict[str, float] = {}
    median: dict[str, float] = {}
    rejected: dict[str, float] = {}
    seconds, recorded, frames = 0.0, 0.0, 0
    for file in files:
        take, began = read_c3d(file), perf_counter()
        try:
            solution = solve_quietly(take, TakeOptions())
        except LayoutError:  # the labels of three of the ten fit no layout
            continue
        took = perf_counter() - began
        seconds, recorded, frames = seconds + took, recorded + len(take.points) / take.rate, frames + len(take.points)
        residual = solution.residual[np.isfinite(solution.residual)]
        speed[file.stem], median[file.stem] = len(take.points) / took, 1e3 * float(np.median(residual))
        rejected[file.stem] = 100 * float(str(solution.summary["rejected_fraction"]))
    note = f"{len(speed)} of {len(files)} takes, the others' labels fit no layout; at their own rates: {_each(speed)}"
    return [
        Outcome(frames / seconds, "the recording", frames / recorded, note),
        Outcome(max(median.values()), note=_each(median)),
        Outcome(max(rejected.values()), note=_each(rejected)),
    ]


def _each(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


def _paired_takes(settings: Settings) -> list[Outcome]:
    pack = pack_of(Settings(settings.data, "train"))
    outcomes = []
    for clip in PAIRED:
        take = read_c3d(settings.data / "c3d" / f"cmu_{clip}.c3d")
        solved = solve_quietly(take, TakeOptions(fps=PACK_RATE))
        c = pack["clip_id"].tolist().index(clip)
        reference = pack["joints"][pack["start"][c] :][: pack["length"][c]].astype(np.float64)
        mine = motion_joints(solved.motion)[..., [1, 2, 0]]  # the pack's axes are the file's y, z, x
        n = min(len(mine), len(reference))
        note = f"{n} frames at 30 Hz, thighs, shanks, upper arms and forearms, against the joints of the clip"
        outcomes.append(Outcome(limb_angle(mine[:n], reference[:n]), note=note))
    return outcomes


def _long_take(settings: Settings) -> list[Outcome]:
    body = default_body()
    labels = [label for label in placement_table() if finger_of(label) is None][:_LONG_MARKERS]
    points = place_markers(body, labels).points
    made = record(long_clip(settings, _LONG_FRAMES, _RATE), body, faults=Faults(noise=0.001), points=points)
    take, before = made.c3d(), peak_memory()
    began = perf_counter()
    solution = solve_quietly(take, TakeOptions(columns=dict(enumerate(labels))))
    speed = _LONG_FRAMES / (perf_counter() - began)
    note = (
        f"{_LONG_FRAMES} frames at {_RATE:g} Hz, {len(labels)} markers, 1 mm noise, solved at {speed:.0f} frames/s; "
        f"the whole process, {before:.2f} GB of it before the solve, to make the take; joints "
        f"{joint_error(motion_joints(solution.motion), made.joints):.2f} mm from the truth"
    )
    return [Outcome(peak_memory(), note=note)]


BENCHMARKS = (
    Benchmark(
        "take",
        (
            Figure("a take of 41 markers, everything included", "frames/s", "higher", goal=500, goal_without_blas=120),
            Figure("a take of 41 markers, joints, mean distance", "mm", "lower"),
        ),
        _made_take,
        threads=None,
        without_blas=True,
    ),
    Benchmark(
        "long-take",
        (Figure("a take of 36,000 frames and 60 markers, everything included, peak memory", "GB", "lower", goal=2.0),),
        _long_take,
        threads=None,
    ),
    Benchmark(
        "real-takes",
        (
            Figure("real takes, everything included", "frames/s", "higher"),
            Figure("real takes, markers, the worst take's median", "mm", "lower"),
            Figure("real takes, rejected markers, the worst take", "%", "lower"),
        ),
        _real_takes,
        threads=None,
    ),
    Benchmark(
        "limbs",
        tuple(Figure(f"real take {clip}, limb directions", "deg", "lower") for clip in PAIRED),
        _paired_takes,
        threads=None,
    ),
)
