# SPDX-License-Identifier: Apache-2.0
"""The adversarial priors' own training: Davydov et al., "Adversarial Parametric Pose Prior", CVPR 2022.

A generator with VPoser's decoder against 22 discriminators after Kanazawa et al., "End-to-end Recovery of Human Shape
and Pose", CVPR 2018: one for each joint's rotation and one for all of them, on features that they share. Least-squares
losses, ten steps of the discriminators on a batch for one of the generator.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..prior.gan import SLOPE, VARIANTS
from ..prior.latent_spaces import SPACES, Box
from ..prior.network import rotations_of_outputs
from ..skeleton import N_POSE
from .data import PoseSet
from .networks import draw_rows
from .processes import ALONE, Share

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

LATENT, WIDTH, DROPOUT = 32, 512, 0.1
BATCH = 256
"""The authors took 1,024 of a GPU; here a quarter gives four times the steps in an hour."""
RATE, BETAS = 2e-4, (0.5, 0.999)
CRITIC_STEPS = 10
_FEATURES, _HIDDEN = 32, 64
_DRAWS = 4096  # that stand for the generator when it is measured


@dataclass
class GanTrainer:
    """A generator and its discriminators under training.

    Args:
        poses: what it learns.
        device: where.
        seed: of all chance.
        variant: of `VARIANTS`.
        share: this process's part of each batch.
    """

    poses: PoseSet
    device: str
    seed: int
    variant: str = "gan_s"
    share: Share = ALONE

    def __post_init__(self) -> None:
        import torch
        from torch import nn

        f = {"dtype": torch.float32, "device": self.device}
        self.R = torch.as_tensor(self.poses.R, **f)
        self.cumulative = torch.as_tensor(np.cumsum(self.poses.weight))
        leaky = nn.LeakyReLU(SLOPE)
        self.generator = nn.Sequential(
            nn.Linear(LATENT, WIDTH), leaky, nn.Linear(WIDTH, WIDTH), leaky, nn.Linear(WIDTH, 6 * N_POSE)
        ).to(self.device)
        self.critics = _critics(leaky).to(self.device)
        self.optimisers = [
            torch.optim.Adam(network.parameters(), RATE, BETAS, fused=True)
            for network in (self.generator, self.critics)
        ]
        self.space = SPACES[VARIANTS[self.variant]]
        self.draw: Generator = torch.Generator(self.device).manual_seed(self.seed)
        self.some_z = torch.as_tensor(self.space.sample(_DRAWS, LATENT, self.seed), **f)

    def step(self, _progress: float) -> "Tensor":
        """Ten steps of the discriminators and one of the generator; returns what the generator loses."""
        import torch

        rows = draw_rows(self.cumulative, torch.rand(BATCH, generator=self.draw, device=self.device))
        real = self.R[self.share.of(rows)]
        made = self._made()
        both, n = torch.cat([real, made.detach()]), len(real)
        generator, critics = self.optimisers
        for _ in range(CRITIC_STEPS):
            says = self.critics(both)
            loss = (says[:n] - 1).square().mean() + says[n:].square().mean()
            self._step(critics, self.critics, loss)
        loss = (self.critics(made) - 1).square().mean()
        self._step(generator, self.generator, loss)
        return loss.detach()

    def _made(self) -> "Tensor":
        """This process's rows of a batch of poses that the generator makes with dropout after its first layer.

        The masks of the whole batch come from the CPU's chance, which checkpoints keep and processes have in common.
        """
        import torch
        from torch.nn.functional import dropout

        first, leaky, *others = self.generator
        x = leaky(first(self.space.to_network(self.share.of(self._latents()))))
        x = x * self.share.of(dropout(torch.ones(BATCH, WIDTH), DROPOUT)).to(x.device)
        for layer in others:
            x = layer(x)
        return rotations_of_outputs(x)

    def drawn(self) -> np.ndarray:
        """Poses (N, 21, 3, 3) that the generator draws, the same latents at every call."""
        import torch

        with torch.no_grad():
            return rotations_of_outputs(self.generator(self.space.to_network(self.some_z))).cpu().numpy()

    def arrays(self) -> dict[str, np.ndarray]:
        """The generator as arrays of a prior file."""
        from torch.nn import Linear

        layers = [layer for layer in self.generator if isinstance(layer, Linear)]
        arrays = {f"decoder_W{k}": layer.weight for k, layer in enumerate(layers)}
        arrays |= {f"decoder_b{k}": layer.bias for k, layer in enumerate(layers)}
        return {name: weight.detach().cpu().numpy().astype(np.float16) for name, weight in arrays.items()}

    def _step(self, optimiser: "Optimizer", network: "Module", loss: "Tensor") -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward(inputs=list(network.parameters()))
        self.share.average(list(network.parameters()))
        optimiser.step()

    def _latents(self) -> "Tensor":
        """(BATCH, L), as the variant draws them; as `space.sample`, by this training's own chance."""
        import torch

        shape = (BATCH, LATENT)
        if self.variant == "gan_u":
            return Box.half * (2 * torch.rand(shape, generator=self.draw, device=self.device) - 1)
        return torch.randn(shape, generator=self.draw, device=self.device)


def _critics(leaky: "Module") -> "Module":
    """From rotations (B, 21, 3, 3) to what each of 22 discriminators says, (B, 22)."""
    import torch
    from torch import nn

    class Critics(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(nn.Linear(9, _FEATURES), leaky, nn.Linear(_FEATURES, _FEATURES), leaky)
            self.weight = nn.Parameter(torch.randn(N_POSE, _FEATURES) * _FEATURES**-0.5)
            self.bias = nn.Parameter(torch.zeros(N_POSE))
            self.whole = nn.Sequential(
                nn.Linear(N_POSE * _FEATURES, _HIDDEN), leaky, nn.Linear(_HIDDEN, _HIDDEN), leaky,
                nn.Linear(_HIDDEN, 1),
            )  # fmt: skip

        def forward(self, R: "Tensor") -> "Tensor":
            x = self.features(R.flatten(-2))
            return torch.cat([(x * self.weight).sum(-1) + self.bias, self.whole(x.flatten(1))], 1)

    return Critics()
