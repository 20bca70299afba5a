# SPDX-License-Identifier: Apache-2.0
"""The reference engine, for research and baselines: any objective that torch can differentiate, LBFGS or Adam.

It is the way of human_body_prior's IK engine (Pavlakos et al., "Expressive Body Capture", 2019), each frame on its own:
what is not finite in one frame harms no other, stages keep no curvature of the one before, and stop tests look at one
frame alone. Slow beside `solver` and independent of it: baselines that share its code would share its faults.

    def cost(parameters, frames):
        return {"reach": ((parameters["x"] - targets[frames]) ** 2).sum(-1), "size": (parameters["x"] ** 2).sum(-1)}

    result = minimise(cost, {"x": torch.zeros(len(targets), 3)}, [ReferenceStage({"reach": 1.0, "size": 0.1})])
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from ..errors import TargetError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import LBFGS, Adam

Objective = Callable[[Mapping[str, "Tensor"], "Tensor"], Mapping[str, "Tensor"]]
"""Named terms of the cost, (n,) each, of named parameters (n, ...) that belong to the frames (n,) of an index tensor.

The index serves to choose targets: the engine asks for some frames at a time. A frame's terms may depend on its own
parameters only.
"""

_LEARNING_RATES = {"lbfgs": 1.0, "adam": 0.02}
_HISTORY = 100  # steps that LBFGS remembers
_LINE_SEARCH = 25  # evaluations that one of its steps may take


class Status(IntEnum):
    """How a frame ended."""

    CONVERGED = 0  # more iterations gain next to nothing
    STOPPED = 1  # at the limit of iterations
    FAILED = 2  # its cost or gradient was not finite


@dataclass(frozen=True)
class ReferenceStage:
    """One minimisation; each begins with fresh optimiser state where the last one ended.

    Raises:
        TargetError: iterations, window, weights or optimiser are unusable.
    """

    weights: Mapping[str, float]  # of the objective's terms; those not named here do not count
    iterations: int = 300
    optimiser: Literal["lbfgs", "adam"] = "lbfgs"
    learning_rate: float | None = None  # None: 1 for LBFGS, whose line search follows, 0.02 for Adam
    tolerance: float = 1e-4  # a frame is done when its cost falls by less than this part of it ...
    window: int = 10  # ... within so many iterations; with Adam more than it swings for

    def __post_init__(self) -> None:
        if self.optimiser not in _LEARNING_RATES:
            names = ", ".join(_LEARNING_RATES)
            raise TargetError(f'No reference optimiser is called "{self.optimiser}". Expected one of: {names}')
        if self.iterations < 1 or self.window < 1 or not self.weights:
            raise TargetError(
                f"A reference stage of {self.iterations} iterations, window {self.window} and {len(self.weights)} "
                "weights; expected at least one of each"
            )

    @property
    def rate(self) -> float:
        """The learning rate in use."""
        return _LEARNING_RATES[self.optimiser] if self.learning_rate is None else self.learning_rate


@dataclass(frozen=True)
class ReferenceResult:
    """The best of F frames."""

    parameters: Mapping[str, "Tensor"]  # (F, ...) each, always finite
    cost: "Tensor"  # (F,) by the weights of the frame's last stage; infinite where that began with a failure
    evaluations: "Tensor"  # (F,) of the cost and its gradient, all stages together
    status: "Tensor"  # (F,) a `Status` each


def minimise(objective: Objective, start: Mapping[str, "Tensor"], stages: Sequence[ReferenceStage]) -> ReferenceResult:
    """Lower the cost of each frame, one stage after the other.

    LBFGS with a strong Wolfe line search takes the frames one by one, Adam all at once; either way no frame's result
    depends on the others. A frame whose cost or gradient is not finite stays at the best state it had.

    Args:
        objective: names and computes the terms of the cost.
        start: named parameters (F, ...), floating point; their dtype and device are computed in.
        stages: with annealed weights, say.

    Raises:
        TargetError: the start's shapes or numbers, a term that a stage weighs but the objective lacks, or a term
            that is not one number a frame.
    """
    run = _Run(objective, _checked_start(start))
    for stage in stages:
        rows = run.begin_stage()
        if stage.optimiser == "adam":
            _adam(run, stage, rows)
        else:
            for row in rows[:, None]:
                run.status[row] = _lbfgs(run, stage, row)
    return ReferenceResult(run.parameters, run.cost, run.evaluations, run.status)


def _checked_start(start: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    sizes = {name: tuple(x.shape) for name, x in start.items()}
    if not sizes or any(not shape for shape in sizes.values()) or len({shape[0] for shape in sizes.values()}) > 1:
        raise TargetError(f"Start parameters have shapes {sizes}; expected the same number of frames first in each")
    for name, x in start.items():
        if not x.is_floating_point() or not x.isfinite().all():
            raise TargetError(
                f'Start parameter "{name}" holds {x.dtype}, or not finite numbers; expected finite floats'
            )
    return {name: x.detach().clone() for name, x in start.items()}


class _Run:
    """What is known of F frames: the best state of each, its cost, how often it was evaluated, how it ended."""

    def __init__(self, objective: Objective, parameters: dict[str, "Tensor"]):
        import torch

        self.objective = objective
        self.parameters = parameters
        some = next(iter(parameters.values()))
        self.cost = some.new_full((len(some),), torch.inf)
        self.evaluations = torch.zeros(len(some), dtype=torch.int64, device=some.device)
        self.status = torch.full_like(self.evaluations, Status.STOPPED)

    def begin_stage(self) -> "Tensor":
        """The frames (n,) that take part: all that never failed. Costs of other weights say nothing of the new ones."""
        import torch

        rows = torch.nonzero(self.status != Status.FAILED)[:, 0]
        self.cost[rows] = torch.inf
        self.status[rows] = Status.STOPPED
        return rows

    def leaves(self, rows: "Tensor") -> dict[str, "Tensor"]:
        """The best parameters of some frames, to differentiate by."""
        return {name: x[rows].requires_grad_() for name, x in self.parameters.items()}

    def evaluate(
        self, stage: ReferenceStage, rows: "Tensor", x: dict[str, "Tensor"]
    ) -> tuple["Tensor", tuple["Tensor", ...], "Tensor"]:
        """Cost (n,), its gradients by the parameters, and where all of these are finite (n,); keeps the best."""
        import torch

        with torch.enable_grad():
            total = _weighted(self.objective(x, rows), stage.weights, len(rows))
            together = total.sum()  # couples no frames: each adds its own cost, and only that depends on its parameters
        if not total.requires_grad:
            raise TargetError("The objective depends on none of the start's parameters; expected terms made of them")
        leaves = tuple(x.values())
        gradients = torch.autograd.grad(together, leaves, allow_unused=True, materialize_grads=True)
        cost = total.detach()
        finite = torch.cat([x.reshape(len(rows), -1) for x in (cost, *gradients)], dim=1).isfinite().all(1)
        self.evaluations[rows] += 1
        better = finite & (cost < self.cost[rows])
        improved = rows[better]
        self.cost[improved] = cost[better]
        for name, value in x.items():
            self.parameters[name][improved] = value.detach()[better]
        return cost, gradients, finite

    def settled(self, stage: ReferenceStage, rows: "Tensor", before: "Tensor") -> "Tensor":
        """Where (n,) the best cost fell by next to nothing from what it was before."""
        now = self.cost[rows]
        return before - now <= stage.tolerance * now.abs()


def _weighted(terms: Mapping[str, "Tensor"], weights: Mapping[str, float], n: int) -> "Tensor":
    """The cost (n,) of named terms."""
    missing = [name for name in weights if name not in terms]
    if missing:
        raise TargetError(f'The objective has no term "{missing[0]}" to weigh. Expected some of: {", ".join(terms)}')
    for name in weights:
        if tuple(terms[name].shape) != (n,):
            raise TargetError(
                f'The term "{name}" has shape {tuple(terms[name].shape)}; expected one cost a frame, ({n},)'
            )
    first, *others = (weight * terms[name] for name, weight in weights.items())
    return sum(others, first)


class _NotFinite(Exception):
    """A frame's cost or gradient is not finite."""


def _lbfgs(run: _Run, stage: ReferenceStage, row: "Tensor") -> Status:
    """Minimise one frame, row (1,)."""
    from torch.optim import LBFGS

    x = run.leaves(row)
    optimiser = LBFGS(
        list(x.values()), lr=stage.rate, max_eval=_LINE_SEARCH * stage.window, history_size=_HISTORY,
        line_search_fn="strong_wolfe",
    )  # fmt: skip
    closure = _closure(run, stage, row, x)
    try:
        for done in range(0, stage.iterations, stage.window):
            before = run.cost[row]
            _iterate(optimiser, closure, min(stage.window, stage.iterations - done))
            if run.settled(stage, row, before):
                return Status.CONVERGED
    except _NotFinite:
        return Status.FAILED
    return Status.STOPPED


def _iterate(optimiser: "LBFGS", closure: Callable[[], "Tensor"], iterations: int) -> None:
    """Some more iterations; curvature is kept from call to call."""
    optimiser.param_groups[0]["max_iter"] = iterations
    optimiser.step(closure)  # type: ignore[arg-type]


def _closure(run: _Run, stage: ReferenceStage, row: "Tensor", x: dict[str, "Tensor"]) -> Callable[[], "Tensor"]:
    """What LBFGS calls: the frame's cost, with gradients left in the parameters.

    Called again, LBFGS evaluates anew where it just ended, nearly always its last evaluation; the answer is kept.
    """
    import torch

    leaves = list(x.values())
    where: list[Tensor] = []
    cost = run.cost[row]

    def evaluated() -> "Tensor":
        nonlocal cost, where
        if not where or not all(torch.equal(p, q) for p, q in zip(leaves, where, strict=True)):
            cost, gradients, finite = run.evaluate(stage, row, x)
            if not finite:
                raise _NotFinite
            where = [p.detach().clone() for p in leaves]
            for p, gradient in zip(leaves, gradients, strict=True):
                p.grad = gradient
        return cost[0]

    return evaluated


def _adam(run: _Run, stage: ReferenceStage, rows: "Tensor") -> None:
    """Minimise frames (n,) together; whichever is done leaves the batch."""
    from torch.optim import Adam

    x = run.leaves(rows)
    optimiser = Adam(list(x.values()), lr=stage.rate)
    before = run.cost[rows]
    for iteration in range(stage.iterations):
        if len(rows) == 0:
            return
        _, gradients, finite = run.evaluate(stage, rows, x)
        run.status[rows[~finite]] = Status.FAILED
        staying = finite
        if iteration % stage.window == 0:
            settled = finite & run.settled(stage, rows, before)
            run.status[rows[settled]] = Status.CONVERGED
            before, staying = run.cost[rows], finite & ~settled
        for p, gradient in zip(x.values(), gradients, strict=True):
            p.grad = gradient
        if not staying.all():
            rows, before = rows[staying], before[staying]
            _keep(optimiser, staying)
        optimiser.step()


def _keep(optimiser: "Adam", staying: "Tensor") -> None:
    """Take the other frames out of the parameters, their gradients and their moments."""
    for p in optimiser.param_groups[0]["params"]:
        gradient, p.grad = p.grad[staying], None
        p.data = p.data[staying]
        p.grad = gradient
        for name, moment in optimiser.state[p].items():
            if moment.shape:  # the count of steps has none
                optimiser.state[p][name] = moment[staying]
