# SPDX-License-Identifier: Apache-2.0
"""What an interpreter has to compute with, and how long a pose takes in it."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from .body import BodyModel, default_body
from .devices import Device, accelerators, chosen_device
from .ik import JointTargets, LiveSolver, fit_joints, solve
from .linalg import blas_name
from .parallel import cores
from .prior import Prior, load_prior
from .skeleton import BODY_JOINTS, N_BODY

_HELD = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
_DRAGGED, _STEP = 3, 0.01  # the right wrist, and metres between two events of a drag
_EVENTS, _FRAMES = 60, 256


@dataclass(frozen=True)
class Findings:
    """An interpreter as a user wants to know it."""

    python: str
    numpy: str
    blas: str  # empty where there is none
    cores: int
    gpus: list[str]  # name and memory of each
    no_gpu: str  # why there is none
    device: str  # what a take is solved on, and why
    ms_live: float  # median of an event of a drag, milliseconds
    ms_frame: float  # of a frame, where many are solved at once


def probe(device: str, report: Callable[[float, str], None]) -> Findings:
    """Look for devices and time a solve: a drag of one hand, and many poses at once on the device.

    Args:
        device: one of `devices.NAMES`.
        report: called with a fraction in 0..1 and a text; may raise `Cancelled`.

    Raises:
        PoiseError: there is no such device.
    """
    report(0.0, "Looking for a GPU")
    chosen, (found, reason) = chosen_device(device), accelerators()
    report(0.3, "Solving poses one by one")
    body, prior = default_body(), load_prior()
    ms_live = _time_drag(body, prior)
    report(0.6, f"Solving {_FRAMES} poses at once")
    ms_frame = _time_batch(body, prior, chosen)
    return Findings(
        python=platform.python_version(),
        numpy=np.__version__,
        blas=blas_name(),
        cores=cores(),
        gpus=[f"{gpu.title}, {gpu.memory / 2**30:.0f} GB" if gpu.memory else gpu.title for gpu in found],
        no_gpu="" if found else reason,
        device=chosen.why,
        ms_live=ms_live,
        ms_frame=ms_frame,
    )


def _time_drag(body: BodyModel, prior: Prior) -> float:
    joints = body.rest_joints()[[BODY_JOINTS.index(name) for name in _HELD]]
    start = fit_joints(body, prior, _HELD, joints[None])
    solver = LiveSolver(body, prior, _HELD, start.R_local[0], start.trans[0])
    times = []
    for event in range(_EVENTS):
        joints[_DRAGGED, 1] += _STEP if event < _EVENTS // 2 else -_STEP
        began = perf_counter()
        solver.solve(joints)
        times.append(perf_counter() - began)
    return 1e3 * float(np.median(times))


def _time_batch(body: BodyModel, prior: Prior, device: Device) -> float:
    R_local = np.broadcast_to(np.eye(3), (_FRAMES, N_BODY, 3, 3)).copy()
    R_local[:, 1:] = prior.decode(prior.sample(_FRAMES, seed=1))
    joints = body.pose(R_local, np.zeros((_FRAMES, 3))).joints[:, :N_BODY]
    targets = [JointTargets(BODY_JOINTS, joints)]
    solve(body, prior, targets, like=device.like)  # a device takes its time to wake
    began = perf_counter()
    solve(body, prior, targets, like=device.like)
    return 1e3 * (perf_counter() - began) / _FRAMES
