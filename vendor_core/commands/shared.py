# SPDX-License-Identifier: Apache-2.0
"""What several verbs need: progress on the terminal, poses as a motion."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from tqdm import tqdm

from ..body import BodyModel
from ..body.hands import relaxed_hands
from ..motion import Motion
from ..rotations import log_so3
from ..skeleton import JOINTS, N_BODY


def body_motion(
    R_local: np.ndarray, trans: np.ndarray, body: BodyModel, betas: np.ndarray | None, status: np.ndarray | None = None
) -> Motion:
    """Poses of the 22 body joints (F, 22, 3, 3) as a motion with relaxed hands."""
    poses = np.zeros((len(R_local), len(JOINTS), 3))
    poses[:, :N_BODY], poses[:, N_BODY + 3 :] = log_so3(R_local), relaxed_hands()
    betas = np.zeros(body.num_betas) if betas is None else betas
    return Motion(poses, trans, betas=betas, body_name="default" if body.beta_names else "", frame_status=status)


@contextmanager
def progress(title: str) -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error, where that is a terminal."""
    with tqdm(total=100, desc=title, disable=None, bar_format="{l_bar}{bar}| {elapsed}{postfix}", leave=False) as bar:

        def report(fraction: float, text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update(100 * fraction - bar.n)

        yield report
