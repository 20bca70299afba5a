# SPDX-License-Identifier: Apache-2.0
"""What several verbs need: progress on the terminal, joints and poses as a motion."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from ..body import BodyModel
from ..body.hands import relaxed_hands
from ..ik import fit_joints
from ..motion import SOLVED, Motion
from ..prior import Prior
from ..rotations import log_so3
from ..skeleton import BODY_JOINTS, JOINTS, N_BODY

_SHAPE_NEEDS = 12  # body joints, below which bone lengths say too little about the shape


def body_motion(
    R_local: np.ndarray, trans: np.ndarray, body: BodyModel, betas: np.ndarray | None, status: np.ndarray | None = None
) -> Motion:
    """Poses of the 22 body joints (F, 22, 3, 3) as a motion with relaxed hands."""
    poses = np.zeros((len(R_local), len(JOINTS), 3))
    poses[:, :N_BODY], poses[:, N_BODY + 3 :] = log_so3(R_local), relaxed_hands()
    betas = np.zeros(body.num_betas) if betas is None else betas
    return Motion(poses, trans, betas=betas, body_name="default" if body.beta_names else "", frame_status=status)


def fitted(
    body: BodyModel,
    prior: Prior,
    names: Sequence[str],
    joints: np.ndarray,
    shape: bool,
    report: Callable[[float, str], None],
) -> tuple[Motion, np.ndarray]:
    """A motion whose joints are at given places (F, J, 3), metres and Z up, and the millimetres by which each seen one
    is missed; with betas where they are asked for and enough joints are named.
    """
    betas, shaped = None, body
    if shape and len(set(names) & set(BODY_JOINTS)) >= _SHAPE_NEEDS:
        each = fit_joints(body, prior, names, joints, shape=True, report=lambda f: report(0.5 * f, "Fitting the shape"))
        betas = np.median(each.betas[each.status == SOLVED], axis=0)
        shaped = replace(body, joints_template=body.rest_joints(betas))
    solved = fit_joints(shaped, prior, names, joints, report=lambda f: report(0.5 + 0.5 * f, "Fitting the poses"))
    motion = body_motion(solved.R_local, solved.trans, body, betas, status=solved.status)
    return motion, 1e3 * solved.residual[np.isfinite(solved.residual)]


@contextmanager
def progress(title: str) -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error, where that is a terminal."""
    with tqdm(total=100, desc=title, disable=None, bar_format="{l_bar}{bar}| {elapsed}{postfix}", leave=False) as bar:

        def report(fraction: float, text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update(100 * fraction - bar.n)

        yield report


def say(text: str) -> None:
    """A line that stays, above the bar."""
    with tqdm.external_write_mode():
        print(f"poise: {text}", file=sys.stderr)
