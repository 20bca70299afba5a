# SPDX-License-Identifier: Apache-2.0
"""The prior in a regressor, in place of its last layer: pictures to poses. Needs PyTorch.

Two networks learn from the same pictures and joint positions, as data sets of keypoints have them: one answers with
the rotations of 21 joints, the other with a latent, which the frozen prior decodes. How bones turn about themselves no
joint position tells; the prior knows. Poses and pictures are made here: `python regressor.py FOLDER` takes the poses of
motion packs instead, those of its test.npz held out.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vendor_core.body import body_from_joints, default_body
from vendor_core.evaluation import joint_error, mean_angle, p_mpjpe
from vendor_core.prior import as_module, load_plausibility, load_prior
from vendor_core.rotations import rotation_from_6d
from vendor_core.training import load_poses

N_TRAIN, N_HELD_OUT, STEPS, SIZE = 2000, 1000, 300, 16
prior, plausibility = load_prior(), load_plausibility()
body = body_from_joints(default_body().joints_template[:22]).like(torch.zeros(1))  # of tensors, and no skin
channels = torch.tensor([[part in name for name in body.joint_names] for part in ("left", "right", "")]).float()


def poses(split: str, n: int, seed: int) -> torch.Tensor:
    """Rotations (n, 21, 3, 3)."""
    if len(sys.argv) < 2:
        return torch.tensor(prior.decode(prior.sample(n, seed)), dtype=torch.float32)
    found = load_poses([Path(sys.argv[1]) / f"{split}.npz"], mirror=False).R
    return torch.tensor(found[np.random.default_rng(seed).permutation(len(found))[:n]])


def joints_of(R: torch.Tensor) -> torch.Tensor:
    """Joints (n, 22, 3), metres, the pelvis unturned."""
    root = torch.eye(3).expand(len(R), 1, 3, 3)
    return body.pose(torch.cat([root, R], dim=1)).joints


def pictures(joints: torch.Tensor) -> torch.Tensor:
    """Blurred pictures (n, 3 * SIZE * SIZE) from the front, with noise: of the left, the right and all joints."""
    x = torch.linspace(-1.1, 1.1, SIZE)
    near = torch.exp(-((joints[..., :2, None] - x) ** 2) / (2 * 0.08**2))  # (n, 22, 2, SIZE)
    seen = torch.einsum("cj,njx,njy->ncyx", channels, near[:, :, 0], near[:, :, 1])
    return (seen + 0.1 * torch.randn_like(seen)).flatten(1)


class ToRotations(nn.Module):
    """Features to rotations, directly: six numbers a joint."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(256, 126)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return rotation_from_6d(self.head(features).unflatten(1, (21, 3, 2)) + torch.eye(3)[:, :2])


class ToLatent(nn.Module):
    """Features to a latent; the prior makes a pose of it. Its weights are frozen, gradients go through it."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.prior = nn.Linear(256, prior.latent_dim), as_module(prior)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.prior.decode(self.head(features))["pose_body_matrot"].unflatten(-1, (3, 3))


def trained(last: nn.Module, x: torch.Tensor, joints: torch.Tensor) -> nn.Module:
    """A network with a given last layer, after some steps on pictures x of joints (n, 22, 3)."""
    network = nn.Sequential(
        nn.Linear(x.shape[1], 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 256), nn.ReLU(), last
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (64,))
        loss = (joints_of(network(x[rows])) - joints[rows]).square().sum(-1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


torch.manual_seed(0)
R, R_new = poses("train", N_TRAIN, seed=1), poses("test", N_HELD_OUT, seed=2)
x, x_new = pictures(joints_of(R)), pictures(joints_of(R_new))
truth = joints_of(R_new).numpy()
print(f"{len(R)} pictures to learn from, {len(R_new)} held out")
for name, last in (("rotations", ToRotations()), ("latent", ToLatent())):
    torch.manual_seed(0)
    network = trained(last, x, joints_of(R))
    with torch.no_grad():
        found = network(x_new)
    joints, scores = joints_of(found).numpy(), plausibility.score(found.numpy())
    print(
        f"{name:9} held out: joints {joint_error(joints, truth):.0f} mm, {p_mpjpe(joints, truth):.0f} mm aligned, "
        f"rotations {mean_angle(found.numpy(), R_new.numpy()):.1f} degrees, {np.mean(scores < 0.05):.1%} implausible"
    )
