# SPDX-License-Identifier: Apache-2.0
"""The course of a VAE prior's training: networks, initialiser, critic."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .curves import VALIDATION
from .networks import network_arrays
from .run import Run
from .vae_trainer import LATENT, VaeTrainer

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from .train_critic import CriticTrainer
    from .train_guess import GuessTrainer


@dataclass
class VaeRun(Run):
    """As `Run`; the critic takes half as many steps as the other parts."""

    parts = ("prior", "initialiser", "critic")
    ends = (0.0, 0.4, 0.8, 0.95)  # the rest is the density's
    held_out_curve = VALIDATION

    def __post_init__(self) -> None:
        import torch

        super().__post_init__()
        self.trainer = VaeTrainer(self.gathered.train, self.device, self.seed, self.share)
        self.guesser: GuessTrainer | None = None
        self.critic: CriticTrainer | None = None
        some = self._some_held_out()
        self.held_out = None if some is None else torch.as_tensor(some, dtype=torch.float32, device=self.device)

    @property
    def draw(self) -> "Generator":
        return self.trainer.draw

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was trained, as arrays of a prior file."""
        assert self.guesser is not None and self.critic is not None
        arrays = self.trainer.arrays() | network_arrays(self.guesser.network, "guess", LATENT + 6)
        arrays |= self.critic.arrays(self.gathered.held_out or self.gathered.train)
        return arrays | {"rest_joints": self.gathered.train.rest_joints}

    def held_out_loss(self) -> float | None:
        """What the prior loses on people held out, at most 2,048 of their poses; None where there are none."""
        return None if self.held_out is None else float(self.trainer.loss_on(self.held_out))

    def _build(self) -> None:
        if self.part > 0 and self.guesser is None:
            self.guesser = self.trainer.guess_trainer(self.gathered.offsets)
            self.critic = self.trainer.critic_trainer()

    def _learning(self) -> dict[str, Any]:
        trainer = self.trainer
        things: dict[str, Any] = {
            "encoder": trainer.encoder,
            "decoder": trainer.decoder,
            "prior's optimiser": trainer.optimiser,
        }
        for name, part in (("initialiser", self.guesser), ("critic", self.critic)):
            if part is not None:
                things |= {name: part.network, f"{name}'s optimiser": part.optimiser}
        return things

    def _step_of_part(self) -> "Callable[[float], Tensor]":
        trainer = (self.trainer, self.guesser, self.critic)[self.part]
        assert trainer is not None
        return trainer.step

    def _steps(self, part: int) -> int:
        return self.steps if self.parts[part] != "critic" else max(1, self.steps // 2)
