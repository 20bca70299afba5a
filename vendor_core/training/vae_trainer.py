# SPDX-License-Identifier: Apache-2.0
"""The VAE's own training: what it learns, in what steps.

Loss after Pavlakos et al., "Expressive Body Capture", CVPR 2019, with a smooth geodesic term, points instead of a mesh,
and a regulariser that keeps straight latent lines even and short.
"""

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING

import numpy as np

from ..prior.network import rotations_of_outputs
from ..prior.vae import LOG_VARIANCES
from ..skeleton import N_POSE
from .data import PoseSet
from .fit_density import fit_mixture
from .losses import body_points, detour, gaussian_divergence, smooth_angle, speeds, unevenness
from .networks import build_network, draw_rows, network_arrays
from .processes import ALONE, Share
from .train_critic import CriticTrainer
from .train_guess import GuessTrainer

if TYPE_CHECKING:
    from torch import Generator, Tensor

LATENT = 32
WIDTH = 256
BATCH = 128
RATE = 2e-3
PATHS, TIMES, APART = 8, 6, 0.02  # of the regulariser of paths: latent lines, times along each, and their distance
W_ANGLE, W_POINTS, W_DIVERGENCE, W_SPEED, W_DETOUR, FREE_NATS = 2.0, 60.0, 2e-3, 3.0, 0.4, 0.05
COMPONENTS = 1024


@dataclass
class VaeTrainer:
    """The VAE under training.

    Args:
        poses: what it learns.
        device: where.
        seed: of all chance.
        share: this process's part of each batch.
    """

    poses: PoseSet
    device: str
    seed: int
    share: Share = ALONE

    def __post_init__(self) -> None:
        import torch

        self.like = f = {"dtype": torch.float32, "device": self.device}
        self.R = torch.as_tensor(self.poses.R, **f)
        self.offsets = torch.as_tensor(self.poses.offsets, **f)
        self.eye = torch.eye(3, **f)
        self.cumulative = torch.as_tensor(np.cumsum(self.poses.weight))
        with torch.no_grad():
            self.targets = torch.cat([body_points(R, self.offsets, self.eye) for R in self.R.split(8192)])
        flat = self.poses.R.reshape(len(self.poses), -1)
        self.mean, self.std = flat.mean(0), np.maximum(flat.std(0), 0.05)
        self.x_mean, self.x_std = torch.as_tensor(self.mean, **f), torch.as_tensor(self.std, **f)
        self.encoder = build_network(9 * N_POSE, WIDTH, WIDTH, 2 * LATENT).to(self.device)
        self.decoder = build_network(LATENT, WIDTH, WIDTH, 6 * N_POSE, rotations=N_POSE).to(self.device)
        self.weights = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimiser = torch.optim.AdamW(self.weights, RATE, weight_decay=1e-4, fused=True)
        self.draw: Generator = torch.Generator(self.device).manual_seed(self.seed)

    def step(self, progress: float) -> "Tensor":
        """One optimiser step, at a fraction of the training; returns the loss."""
        import torch

        which = self.share.of(draw_rows(self.cumulative, self._random(BATCH)))
        R, own = self.R[which], len(which)
        mean, log_var = self.encode(R)
        noise = self.share.of(torch.randn((BATCH, LATENT), generator=self.draw, device=self.device))
        z = mean + (0.5 * log_var).exp() * noise
        lines, ends = self._lines(mean)
        decoded = self.decode(torch.cat([z, lines.flatten(0, 2), ends.flatten(0, 1)]))
        points = body_points(decoded, self.offsets, self.eye)
        paths = len(lines)
        near, far = points[own:].flatten(1, 2).split([2 * paths * TIMES, 2 * paths])
        speed = speeds(near.unflatten(0, (paths, TIMES, 2)), APART)
        whole = speeds(far.unflatten(0, (paths, 1, 2)), 1.0)
        loss = (
            W_ANGLE * smooth_angle(decoded[:own], R).mean()
            + W_POINTS * (points[:own] - self.targets[which]).abs().mean()
            + W_DIVERGENCE * gaussian_divergence(mean, log_var, FREE_NATS)
            + min(1.0, progress / 0.1) * (W_SPEED * unevenness(speed) + W_DETOUR * detour(speed, whole))
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.share.average(self.weights)
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * (0.01 + 0.99 * 0.5 * (1 + cos(pi * progress))) * min(1.0, progress / 0.005 + 0.05)
        self.optimiser.step()
        return loss.detach()

    def encode(self, R: "Tensor") -> "tuple[Tensor, Tensor]":
        """Mean and log variance (B, L) of poses (B, 21, 3, 3)."""
        mean, log_var = self.encoder((R.flatten(1) - self.x_mean) / self.x_std).chunk(2, -1)
        return mean, log_var.clamp(*LOG_VARIANCES)

    def decode(self, z: "Tensor") -> "Tensor":
        return rotations_of_outputs(self.decoder(z))

    def loss_on(self, R: "Tensor") -> "Tensor":
        """What other poses R (B, 21, 3, 3) lose, without chance and without the regulariser of paths."""
        import torch

        with torch.no_grad():
            mean, log_var = self.encode(R)
            decoded = self.decode(mean)
            off = body_points(decoded, self.offsets, self.eye) - body_points(R, self.offsets, self.eye)
            return (
                W_ANGLE * smooth_angle(decoded, R).mean()
                + W_POINTS * off.abs().mean()
                + W_DIVERGENCE * gaussian_divergence(mean, log_var, FREE_NATS)
            )

    def guess_trainer(self, other_offsets: np.ndarray) -> GuessTrainer:
        """The initialiser's training, on the same data and chance, through this decoder.

        Args:
            other_offsets: rest offsets (22, 3) of a second body, so that the guess knows more than one build.
        """
        import torch

        R_root, other = (torch.as_tensor(x, **self.like) for x in (self.poses.R_root, other_offsets))
        return GuessTrainer(
            self.decoder, LATENT, R_root, self.R, self.offsets, other, self.cumulative, self.draw, self.share
        )

    def critic_trainer(self) -> CriticTrainer:
        """The critic's training, on the same poses and chance."""
        return CriticTrainer(self.R, self.cumulative, self.draw, self.share)

    def _lines(self, z: "Tensor") -> "tuple[Tensor, Tensor]":
        """Latents (P, TIMES, 2, L): neighbours along lines between encodings, or random points; and the ends.

        All processes draw the same PATHS lines; each takes its share, half of them between encodings of its own.
        """
        import torch

        half = PATHS // 2
        noise = torch.randn((2, half, LATENT), generator=self.draw, device=self.device) * 0.8
        t = torch.linspace(0, 0.95, TIMES, device=self.device) + 0.03 * self._random(PATHS, TIMES)
        if self.share.count > 1:
            rows = [(self.share.rank + k * self.share.count) % half for k in range(max(1, half // self.share.count))]
            noise, t = noise[:, rows], t[[*rows, *(half + row for row in rows)]]
            half = len(rows)
        a = torch.cat([z[:half], noise[0]])
        b = torch.cat([z[PATHS : PATHS + half], noise[1]])
        t = torch.stack([t[..., None], t[..., None] + APART], 2)
        return a[:, None, None] * (1 - t) + b[:, None, None] * t, torch.stack([a, b], 1)

    def _random(self, *shape: int) -> "Tensor":
        import torch

        return torch.rand(shape, generator=self.draw, device=self.device)

    def arrays(self) -> dict[str, np.ndarray]:
        """Networks and the density of the encodings as arrays of a prior file."""
        import torch

        with torch.no_grad():
            z = torch.cat([self.encode(R)[0] for R in self.R.split(8192)]).cpu().numpy()
        return {
            **network_arrays(self.encoder, "encoder", 2 * LATENT, self.mean, self.std),
            **network_arrays(self.decoder, "decoder", 6 * N_POSE),
            **fit_mixture(z, self.poses.weight, COMPONENTS, self.seed).to_arrays(),
        }
