# SPDX-License-Identifier: Apache-2.0
"""The course of a prior's training: its parts one after the other, and all that is needed to go on later."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .checkpoint import Checkpoint
from .gather import Gathered
from .processes import Share

if TYPE_CHECKING:
    from torch import Generator, Tensor

_POINTS, _MEASURED = 200, 40  # of a part's curve; how often people held out are measured
_MOST_HELD_OUT = 2048  # poses of them

Report = Callable[[float, str], None]


@dataclass
class Run(ABC):
    """A training under way.

    Args:
        gathered: what it learns.
        device: where.
        seed: of all chance.
        steps: of the prior.
        share: this process's part of each batch.
    """

    gathered: Gathered
    device: str
    seed: int
    steps: int
    share: Share

    parts: ClassVar[tuple[str, ...]]
    ends: ClassVar[tuple[float, ...]]
    """Where each part ends in the time that all take, after a zero."""
    held_out_curve: ClassVar[str]
    """The name of the curve of what the first part is measured by on people held out."""

    def __post_init__(self) -> None:
        import torch

        self.part = self.done = 0  # which part, and its steps done
        self.total, self.counted = torch.zeros((), device=self.device), 0  # of losses since the curve's last point
        self.curves: dict[str, list[tuple[int, float]]] = {}
        self.spent = 0.0  # seconds, before this process too

    @property
    @abstractmethod
    def draw(self) -> "Generator":
        """The source of all chance beside torch's own."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """All that was trained, as arrays of a prior file."""

    @abstractmethod
    def held_out_loss(self) -> float | None:
        """What the prior is worth on people held out, the less the better; None where there are none."""

    def kept_loss(self) -> float | None:
        """The same of what `arrays` answers."""
        return self.held_out_loss()

    @abstractmethod
    def _learning(self) -> dict[str, Any]:
        """Networks and optimisers by name."""

    @abstractmethod
    def _step_of_part(self) -> "Callable[[float], Tensor]": ...

    def _build(self) -> None:  # noqa: B027 - most have nothing to make
        """Make what the parts so far need, in the order in which the starting weights are drawn."""

    def _steps(self, part: int) -> int:
        return self.steps

    def _intervals(self, steps: int) -> tuple[int, int]:
        """Steps from one point of the curve to the next, and from one measurement on people held out to the next."""
        return max(1, steps // _POINTS), max(1, steps // _MEASURED)

    def run(self, checkpoint: Checkpoint | None, report: Report, stop: Callable[[], bool] = lambda: False) -> None:
        """Train to the end from wherever it is, keeping checkpoints.

        Raises:
            KeyboardInterrupt: after a step it was to stop; that step is in the checkpoint.
        """
        self.began, self.began_at = time.monotonic() - self.spent, self.fraction
        while self.part < len(self.parts):
            self._build()
            steps, step = self._steps(self.part), self._step_of_part()
            each, _ = self._intervals(steps)
            while self.done < steps:
                self.total += step(self.done / steps)
                self.done, self.counted = self.done + 1, self.counted + 1
                if self.done % each == 0 or self.done == steps:
                    self._note(steps, report)
                stopping = stop()
                if checkpoint is not None:
                    checkpoint.save_if_due(self.state, now=stopping)
                if stopping:
                    raise KeyboardInterrupt
            self.part, self.done = self.part + 1, 0

    @property
    def fraction(self) -> float:
        """Of the whole training, about in time."""
        if self.part == len(self.parts):
            return self.ends[-1]
        first, last = self.ends[self.part : self.part + 2]
        return first + (last - first) * self.done / self._steps(self.part)

    def state(self) -> dict[str, Any]:
        """Everything that decides the rest of the training, and the curves so far."""
        import torch

        return {
            "part": self.part,
            "done": self.done,
            "draw": self.draw.get_state(),
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
        self.draw.set_state(state["draw"])
        torch.set_rng_state(state["chance"])
        self.curves, self.spent = state["curves"], state["spent"]
        self.total.fill_(state["total"])

    def _note(self, steps: int, report: Report) -> None:
        """A point of the curve, and a line for the user."""
        name, loss = self.parts[self.part], float(self.total) / self.counted
        self.curves.setdefault(name, []).append((self.done, loss))
        self.total.zero_()
        self.counted = 0
        held_out = ""
        if self.part == 0 and self.share.rank == 0 and self.gathered.held_out is not None:
            curve, each = self.curves.setdefault(self.held_out_curve, []), self._intervals(steps)[1]
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

    def _some_held_out(self) -> np.ndarray | None:
        """Poses (N, 21, 3, 3) of people held out, at most 2,048."""
        if self.gathered.held_out is None:
            return None
        R = self.gathered.held_out.R
        return R[np.linspace(0, len(R) - 1, min(_MOST_HELD_OUT, len(R))).astype(np.int64)]
