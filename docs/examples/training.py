# SPDX-License-Identifier: Apache-2.0
"""Train a prior on a folder of motion and use it: `python training.py [FOLDER]`. Needs PyTorch.

FOLDER holds AMASS or BVH files, one folder a person. Without it a small one is made, and the training is a short one.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from vendor_core.evaluation import mean_angle
from vendor_core.motion import Motion, write_motion
from vendor_core.prior import interpolate_poses, load_prior
from vendor_core.rotations import log_so3
from vendor_core.training import train_prior


def write_people(folder: Path, people: int = 12) -> None:
    """Four seconds of motion of each person, as AMASS keeps them: DATA SET/PERSON/take.npz."""
    shipped = load_prior()
    for person in range(people):
        way = interpolate_poses(shipped, shipped.decode(shipped.sample(5, seed=person)), [30] * 4)
        poses = np.zeros((len(way), 55, 3))
        poses[:, 0], poses[:, 1:22] = (np.pi / 2, 0, 0), log_so3(way)
        (folder / "made" / f"person{person}").mkdir(parents=True)
        write_motion(
            folder / "made" / f"person{person}" / "take_poses.npz", Motion(poses, np.zeros((len(way), 3)), 30.0)
        )


def progress(fraction: float, text: str) -> None:
    print(f"\r{fraction:4.0%} {text:70.70}", end="", file=sys.stderr)


with tempfile.TemporaryDirectory() as temporary:
    folder, steps = Path(temporary), 80
    if len(sys.argv) > 1:
        folder, steps = Path(sys.argv[1]), None  # as many as the shipped prior has: 14 minutes of one core
    else:
        write_people(folder)
    result = train_prior([folder], Path("mine.npz"), seed=0, report=progress, steps=steps, say=print)
print(file=sys.stderr)
people, held_out = result["people"]["train"], result["people"]["val"]
print(f"{result['steps']} steps on {result['poses']} poses of {people} people; {held_out} held out")

mine, shipped = load_prior("mine.npz"), load_prior()  # mine.loss.png shows how the loss fell
R = shipped.decode(shipped.sample(200, seed=99))
for name, prior in (("mine", mine), ("shipped", shipped)):
    off = mean_angle(prior.decode(prior.encode(R)), R)
    print(f"{name:8} {prior.latent_dim} latents, new poses off by {off:.1f} degrees")
print(f"licence of mine: {mine.about['license']}")
