# SPDX-License-Identifier: Apache-2.0
"""Train the critic of `prior.plausibility`: which joints of a pose are out of place, learned from broken poses.

Noise-contrastive estimation (Gutmann and Hyvarinen, AISTATS 2010): logistic regression between data and noise, here
one for each joint and one for the pose, finds the log ratio of their densities.
"""

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING

import numpy as np

from ..prior.plausibility import odds_of_outputs
from ..skeleton import N_POSE
from .corruption import Corruption
from .data import PoseSet
from .networks import build_network, draw_rows, network_arrays
from .processes import ALONE, Share

if TYPE_CHECKING:
    from torch import Generator, Tensor

WIDTHS = (256, 256)
STEPS = 8000
BATCH = 512
RATE = 2e-3
DECAY = 0.01
W_JOINTS = 3.0
SHAKEN = 6.0  # degrees of noise that a real pose may have, about: data of other sources is not as clean as ours
SHARES = (0.99, 0.95, 0.8, 0.5, 0.2, 0.05, 0.01, 0.002)
"""Shares of real poses at which the table of odds is kept; between them, and beyond, straight in the logit."""


@dataclass
class CriticTrainer:
    """The critic under training.

    Args:
        R: local rotations (N, 21, 3, 3) of real poses.
        cumulative: cumulated weights (N,) of the poses.
        draw: source of all chance.
        share: this process's part of each batch.
    """

    R: "Tensor"
    cumulative: "Tensor"
    draw: "Generator"
    share: Share = ALONE

    def __post_init__(self) -> None:
        import torch

        like = {"dtype": self.R.dtype, "device": self.R.device}
        flat = self.R.flatten(1)
        self.mean, self.std = flat.mean(0), flat.std(0).clamp(min=0.05)
        self.corrupted = Corruption(self.draw, like)
        self.network = build_network(9 * N_POSE, *WIDTHS, N_POSE + 1).to(**like)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), RATE, weight_decay=DECAY, fused=True)

    def step(self, progress: float) -> "Tensor":
        """One optimiser step, at a fraction of the training; returns the loss."""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        rows = draw_rows(self.cumulative, self.corrupted.uniform(BATCH))
        real = self.corrupted.shaken(self.R[rows], SHAKEN)
        half = BATCH // 2
        broken, joints = self.corrupted(real[half:])
        pose = torch.cat([real.new_zeros(half), real.new_ones(BATCH - half)])
        out_of_place = torch.cat([real.new_zeros(half, N_POSE), joints.to(real.dtype)])
        given = torch.cat([real[:half], broken])
        given, pose, out_of_place = (self.share.of(part) for part in (given, pose, out_of_place))
        y = self.outputs(given)
        loss = binary_cross_entropy_with_logits(y[:, N_POSE], pose)
        loss = loss + W_JOINTS * binary_cross_entropy_with_logits(y[:, :N_POSE], out_of_place)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.share.average(list(self.network.parameters()))
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * (0.01 + 0.99 * 0.5 * (1 + cos(pi * progress))) * min(1.0, progress / 0.01 + 0.05)
        self.optimiser.step()
        return loss.detach()

    def outputs(self, R: "Tensor") -> "Tensor":
        """Log odds (B, 22) that each joint of poses R (B, 21, 3, 3), and last the whole pose, is out of place."""
        return self.network((R.flatten(1) - self.mean) / self.std)

    def arrays(self, held_out: PoseSet) -> dict[str, np.ndarray]:
        """The critic as arrays of a prior file, its odds put to the scale of real poses that it has not seen."""
        import torch

        with torch.no_grad():
            R = torch.as_tensor(held_out.R, dtype=self.R.dtype, device=self.R.device)
            odds = odds_of_outputs(torch.cat([self.outputs(part) for part in R.split(8192)]).cpu().numpy())
        mean, std = (x.cpu().double().numpy() for x in (self.mean, self.std))
        return {
            **network_arrays(self.network, "critic", N_POSE + 1, mean, std),
            "critic_odds": odds_at(SHARES, odds, held_out.weight).astype(np.float32),
            "critic_shares": np.array(SHARES, np.float32),
        }


def odds_at(shares: tuple[float, ...], odds: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Log odds (22, K), rising, that the shares (K,), falling, of poses with odds (N, 22) and weights (N,) reach."""
    order = np.argsort(-odds, axis=0)
    reached = np.cumsum(weight[order], axis=0) - 0.5 * weight[order]  # from the worst pose down
    total, columns = weight.sum(), range(odds.shape[1])
    at = np.array([np.interp(shares, reached[:, j] / total, odds[order[:, j], j]) for j in columns])
    return at + 1e-3 * np.arange(len(shares))  # rising, however few the poses
