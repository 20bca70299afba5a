# SPDX-License-Identifier: Apache-2.0
"""The course of an adversarial prior's training: what is kept is the generator as it was nearest to people held out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..prior.gan import VARIANTS
from .gan_trainer import GanTrainer
from .measure import from_nearest, joint_points
from .run import Run

if TYPE_CHECKING:
    from torch import Generator, Tensor


_REAL = 8192  # poses that stand for those that are learned from
_INTERVALS = 50, 250  # whatever the number of steps: which generator is the best does not hang on it


@dataclass
class GanRun(Run):
    """As `Run`.

    Args:
        variant: of `prior.gan.VARIANTS`.
    """

    variant: str = "gan_s"

    parts = ("generator",)
    ends = (0.0, 1.0)
    held_out_curve = "recall + precision, mm"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.trainer = GanTrainer(self.gathered.train, self.device, self.seed, self.variant, self.share)
        some = self._some_held_out()
        train = self.gathered.train
        self.held_out = None if some is None else joint_points(some, train.rest_joints)
        rows = np.random.default_rng(self.seed).choice(len(train), _REAL, p=train.weight)
        self.real = joint_points(train.R[rows], train.rest_joints)
        self.best = Best()

    @property
    def draw(self) -> "Generator":
        return self.trainer.draw

    def arrays(self) -> dict[str, np.ndarray]:
        """The best generator so far as arrays of a prior file; the last one where nobody is held out."""
        arrays = self.best.arrays if self.best.arrays else self.trainer.arrays()
        return arrays | {"latent": np.array(VARIANTS[self.variant])}

    def held_out_loss(self) -> float | None:
        """How far people held out are from the nearest draws, and those from the nearest real poses: RMS of joints, mm.

        As a whole, draws can never be like people held out, who differ from those that they are learned from.
        """
        if self.held_out is None:
            return None
        drawn = joint_points(self.trainer.drawn(), self.gathered.train.rest_joints)
        real = np.concatenate([self.real, self.held_out])
        distance = from_nearest(self.held_out, drawn) + from_nearest(drawn, real)
        self.best.offer(distance, self.trainer.arrays)
        return distance

    def kept_loss(self) -> float | None:
        return None if self.held_out is None else self.best.distance

    def _learning(self) -> dict[str, Any]:
        generator, critics = self.trainer.optimisers
        return {
            "generator": self.trainer.generator,
            "generator's optimiser": generator,
            "discriminators": self.trainer.critics,
            "discriminators' optimiser": critics,
            "best": self.best,
        }

    def _intervals(self, steps: int) -> tuple[int, int]:
        return _INTERVALS

    def _step_of_part(self) -> "Callable[[float], Tensor]":
        return self.trainer.step


class Best:
    """The arrays that were nearest so far."""

    def __init__(self) -> None:
        self.distance, self.arrays = float("inf"), dict[str, np.ndarray]()

    def offer(self, distance: float, arrays: Callable[[], dict[str, np.ndarray]]) -> None:
        if distance < self.distance:
            self.distance, self.arrays = distance, arrays()

    def state_dict(self) -> dict[str, Any]:
        import torch

        return {"distance": self.distance, "arrays": {k: torch.as_tensor(v) for k, v in self.arrays.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.distance, self.arrays = state["distance"], {k: v.numpy() for k, v in state["arrays"].items()}
