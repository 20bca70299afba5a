# SPDX-License-Identifier: Apache-2.0
"""Train the initialiser: from the joints seen to a latent and the pelvis' rotation, through the frozen decoder."""

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING

from ..body.kinematics import ancestor_mask
from ..prior.guess import N_FEATURES, features, own_frame
from ..prior.network import rotations_of_outputs
from ..rotations import exp_so3
from ..skeleton import BODY_JOINTS, BODY_PARENTS, JOINT_GROUPS, N_BODY
from .losses import TIP, body_points, smooth_angle
from .networks import build_network, draw_rows
from .processes import ALONE, Share

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Sequential

WIDTHS = (512, 512, 512)
BATCH = 256
RATE = 1.5e-3
W_ANGLE, W_ROOT, W_POINTS, W_LATENT = 2.0, 2.0, 60.0, 1e-3
SIZE_RANGE, BONE_SPREAD = 0.05, 0.05  # how far bodies, put to one size, still differ in it, and bones in length
NOISE = 0.01  # metres, the most
BETWEEN = (-0.25, 1.25)  # how far bodies are on the way from the default one to the one that the motion came with
ASTRAY, ASTRAY_JOINTS, ASTRAY_BY = 0.15, 0.1, 0.3  # share of poses with wrong joints, of joints in them, and metres
EFFECTORS = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")


@dataclass
class GuessTrainer:
    """The initialiser under training.

    Args:
        decoder: the VAE's, left as it is.
        latent: its number of inputs.
        R_root: world rotations (N, 3, 3) of the poses.
        R: local rotations (N, 21, 3, 3).
        offsets: rest offsets (22, 3) of the body that guesses are measured on.
        other_offsets: (22, 3) of another body; joints are seen on bodies between the two and beyond.
        cumulative: cumulated weights (N,) of the poses.
        draw: source of all chance.
        share: this process's part of each batch.
    """

    decoder: "Sequential"
    latent: int
    R_root: "Tensor"
    R: "Tensor"
    offsets: "Tensor"
    other_offsets: "Tensor"
    cumulative: "Tensor"
    draw: "Generator"
    share: Share = ALONE

    def __post_init__(self) -> None:
        import torch

        self.like = {"dtype": self.R.dtype, "device": self.R.device}
        self.network = build_network(N_FEATURES, *WIDTHS, self.latent + 6, rotations=1).to(**self.like)
        self.decoder.requires_grad_(False)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), RATE, weight_decay=1e-4, fused=True)
        self.eye = torch.eye(3, **self.like)
        self.ancestors = torch.as_tensor(ancestor_mask(BODY_PARENTS), **self.like)
        groups = [[BODY_JOINTS.index(name) for name in names] for names in JOINT_GROUPS.values()]
        self.limbs = torch.tensor([[j in g for j in range(N_BODY)] for g in groups], device=self.R.device)
        self.effectors = torch.tensor([name in EFFECTORS for name in BODY_JOINTS], device=self.R.device)

    def step(self, progress: float) -> "Tensor":
        """One optimiser step, at a fraction of the training; returns the loss."""
        import torch

        which = draw_rows(self.cumulative, self._uniform(BATCH))
        R, R_root = self.R[which], self._turned(self.R_root[which])
        with torch.no_grad():
            target = body_points(R, self.offsets, self.eye)
            joints, seen = self._observed(target, R_root), self._seen()
            joints = joints * seen[..., None]
            R_frame, centre, torso = own_frame(joints, seen)
            x = features(joints, seen, R_frame, centre, torso)
            R_frame_root = R_frame.mT @ R_root
            x, R, target, R_frame_root, seen = (self.share.of(part) for part in (x, R, target, R_frame_root, seen))
        y = self.network(x)
        guess_root = rotations_of_outputs(y[:, self.latent :])[:, 0]
        guess_R = rotations_of_outputs(self.decoder(y[:, : self.latent]))
        points = body_points(guess_R, self.offsets, self.eye)
        error = (
            (points.flatten(1, 2) @ guess_root.mT - target.flatten(1, 2) @ R_frame_root.mT)
            .unflatten(1, (N_BODY, 4))
            .abs()
        )
        known = seen.to(error.dtype)
        loss = (
            W_ANGLE * smooth_angle(guess_R, R).mean()
            + W_ROOT * smooth_angle(guess_root, R_frame_root).mean()
            + W_POINTS * error.mean()
            + W_POINTS * 0.3 * (error[:, :, 0].mean(-1) * known).sum() / known.sum()
            + W_LATENT * y[:, : self.latent].square().mean()
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.share.average(list(self.network.parameters()))
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * (0.01 + 0.99 * 0.5 * (1 + cos(pi * progress)))
        self.optimiser.step()
        return loss.detach()

    def _turned(self, R_root: "Tensor") -> "Tensor":
        """World rotations with any heading; every fifth in any attitude, the others tilted by some 10 degrees."""
        import torch

        n = len(R_root)
        tilt = 0.17 * self._normal(n, 3)
        heading = torch.zeros_like(tilt)
        heading[:, 1] = 2 * pi * self._uniform(n)
        any_way = rotations_of_outputs(self._normal(n, 6))[:, 0]
        turn = torch.where((self._uniform(n) < 0.2)[:, None, None], any_way, exp_so3(heading) @ exp_so3(tilt))
        return turn @ R_root

    def _observed(self, points: "Tensor", R_root: "Tensor") -> "Tensor":
        """World joints (B, 22, 3) of the poses on bodies of other proportions, with noise, some far astray."""
        import torch

        n = len(points)
        G = (points[:, :, 1:] - points[:, :, :1]).mT / TIP
        size = 1 + SIZE_RANGE * (2 * self._uniform(n, 1) - 1)
        lengths = size * (1 + BONE_SPREAD * self._normal(n, N_BODY))
        parents = torch.tensor([max(parent, 0) for parent in BODY_PARENTS], device=points.device)
        steps = (G[:, parents] @ self._skeletons(n)[..., None])[..., 0] * lengths[..., None]
        noise = NOISE * self._uniform(n, 1, 1) * self._normal(n, N_BODY, 3)
        wrong = (self._uniform(n, 1) < ASTRAY) & (self._uniform(n, N_BODY) < ASTRAY_JOINTS)
        astray = ASTRAY_BY * wrong[..., None] * self._normal(n, N_BODY, 3)
        return (self.ancestors @ steps) @ R_root.mT + noise + astray

    def _skeletons(self, n: int) -> "Tensor":
        """Rest offsets (n, 22, 3) of bodies of one size and many builds."""
        low, high = BETWEEN
        t = low + (high - low) * self._uniform(n, 1, 1)
        offsets = self.offsets + t * (self.other_offsets - self.offsets)
        return offsets * (self.offsets.norm(dim=-1).sum() / offsets.norm(dim=-1).sum(-1))[:, None, None]

    def _seen(self) -> "Tensor":
        """Which joints are seen (B, 22): all, a random share, the effectors, or all but a limb."""
        import torch

        shape = (BATCH, N_BODY)
        some = self._uniform(*shape) < self._uniform(BATCH, 1)
        effectors = self.effectors & (self._uniform(*shape) > 0.1 * (self._uniform(BATCH, 1) < 0.5))
        but_limb = ~self.limbs[(self._uniform(BATCH) * len(self.limbs)).long()]
        case = self._uniform(BATCH, 1)
        everything = torch.ones_like(some)
        seen = torch.where(
            case < 0.4, some, torch.where(case < 0.65, effectors, torch.where(case < 0.85, but_limb, everything))
        )
        seen[:, 0] |= self._uniform(BATCH) < 0.7
        return seen

    def _uniform(self, *shape: int) -> "Tensor":
        import torch

        return torch.rand(shape, generator=self.draw, **self.like)

    def _normal(self, *shape: int) -> "Tensor":
        import torch

        return torch.randn(shape, generator=self.draw, **self.like)
