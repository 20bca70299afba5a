# SPDX-License-Identifier: Apache-2.0
"""The course of a VAE prior's training: its three parts one after the other, and all that is needed to go on later."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .checkpoint import Checkpoint
from .curves import VALIDATION
from .gather import Gathered
from .networks import network_arrays
from .processes import Share
from .vae_trainer import LATENT, VaeTrainer

if TYPE_CHECKING:
    from torch import Tensor

    from .train_critic import CriticTrainer
    from .train_guess import GuessTrainer

PARTS = ("prior", "initialiser", "critic")
_ENDS = (0.0, 0.4, 0.8, 0.95)  # of each part in the time that all take; the rest is the density's
_POINTS, _MEASURED = 200, 40  # of a part's curve; how often people held out are measured
_MOST_HELD_OUT = 2048  # poses of them

Report = Callable[[float, str], None]


@dataclass
class VaeRun:
    """A training under way.

    Args:
        gathered: what it learns.
        device: where.
        seed: of all chance.
        steps: of the prior and of the initialiser; the critic takes half as many.
        share: this process's part of each batch.
    """

    gathered: Gathered
    device: str
    seed: int
    steps: int
    share: Share

    def __post_init__(self) -> None:
        import torch

        self.trainer = VaeTrainer(self.gathered.train, self.device, self.seed, self.share)
        self.guesser: GuessTrainer | None = None
        self.critic: CriticTrainer | None = None
        self.part = self.done = 0  # which part, and its steps done
        self.total, self.counted = torch.zeros((), device=self.device), 0  # of losses since the curve's last point
        self.curves: dict[str, list[tuple[int, float]]] = {}
        self.spent = 0.0  # seconds, before this process too
        self.held_out = self._some_held_out()

    def run(self, checkpoint: Checkpoint | None, report: Report) -> None:
        """Train to the end from wherever it is, keeping checkpoints."""
        self.began, self.began_at = time.monotonic() - self.spent, self.fraction
        while self.part < len(PARTS):
            self._build()
            steps, step = self._steps(self.part), self._step_of_part()
            each = max(1, steps // _POINTS)
            while self.done < steps:
                self.total += step(self.done / steps)
                self.done, self.counted = self.done + 1, self.counted + 1
                if self.done % each == 0 or self.done == steps:
                    self._note(steps, report)
                if checkpoint is not None:
                    checkpoint.save_if_due(self.state)
            self.part, self.done = self.part + 1, 0

    @property
    def fraction(self) -> float:
        """Of the whole training, about in time."""
        if self.part == len(PARTS):
            return _ENDS[-1]
        first, last = _ENDS[self.part : self.part + 2]
        return first + (last - first) * self.done / self._steps(self.part)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was trained, as arrays of a prior file."""
        assert self.guesser is not None and self.critic is not None
        arrays = self.trainer.arrays() | network_arrays(self.guesser.network, "guess", LATENT + 6)
        return arrays | self.critic.arrays(self.gathered.held_out or self.gathered.train)

    def held_out_loss(self) -> float | None:
        """What the prior loses on people held out, at most 2,048 of their poses; None where there are none."""
        return None if self.held_out is None else float(self.trainer.loss_on(self.held_out))

    def state(self) -> dict[str, Any]:
        """Everything that decides the rest of the training, and the curves so far."""
        import torch

        return {
            "part": self.part,
            "done": self.done,
            "draw": self.trainer.draw.get_state(),
            "chance": torch.get_rng_state(),
            "learned": {name: thing.state_dict() for name, thing in self._learning().items()},
            "curves": self.curves,
            "total": float(self.total),
            "counted": self.counted,
            "spent": time.monotonic() - self.began,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same training."""
        import torch

        self.part, self.done, self.counted = state["part"], state["done"], state["counted"]
        self._build()
        for name, thing in self._learning().items():
            thing.load_state_dict(state["learned"][name])
        self.trainer.draw.set_state(state["draw"])
        torch.set_rng_state(state["chance"])
        self.curves, self.spent = state["curves"], state["spent"]
        self.total.fill_(state["total"])

    def _build(self) -> None:
        """What the parts so far need, in the order in which the starting weights are drawn."""
        if self.part > 0 and self.guesser is None:
            self.guesser = self.trainer.guess_trainer(self.gathered.offsets)
            self.critic = self.trainer.critic_trainer()

    def _learning(self) -> dict[str, Any]:
        """Networks and optimisers by name."""
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
        return self.steps if PARTS[part] != "critic" else max(1, self.steps // 2)

    def _note(self, steps: int, report: Report) -> None:
        """A point of the curve, and a line for the user."""
        name, loss = PARTS[self.part], float(self.total) / self.counted
        self.curves.setdefault(name, []).append((self.done, loss))
        self.total.zero_()
        self.counted = 0
        held_out = ""
        if self.part == 0 and self.share.rank == 0 and self.held_out is not None:
            curve, each = self.curves.setdefault(VALIDATION, []), max(1, steps // _MEASURED)
            if self.done // each > (curve[-1][0] // each if curve else 0) or self.done == steps:
                curve.append((self.done, self.held_out_loss() or 0.0))
            held_out = f", held out {curve[-1][1]:.3f}" if curve else ""
        report(
            self.fraction, f"{name}: step {self.done} of {steps}, loss {loss:.3f}{held_out}, {self._time_left()} left"
        )

    def _time_left(self) -> str:
        gone, spent = self.fraction - self.began_at, time.monotonic() - self.began - self.spent
        seconds = round(spent * (1 - self.fraction) / gone) if gone > 0 else 0
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def _some_held_out(self) -> "Tensor | None":
        import torch

        if self.gathered.held_out is None:
            return None
        R = self.gathered.held_out.R
        rows = np.linspace(0, len(R) - 1, min(_MOST_HELD_OUT, len(R))).astype(np.int64)
        return torch.as_tensor(R[rows], dtype=torch.float32, device=self.device)
