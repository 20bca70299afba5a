# SPDX-License-Identifier: Apache-2.0
"""The cost of a pose: the keypoints' errors, and what the prior, the fingers' rest and the shape ask.

`cost = sum of residuals + w_z |z - anchor|^2 + w_d sum_j |R_j - decode(z)_j|^2 / 2 + w_beta |betas|^2`. One quadratic
model serves every solver: by the body tangent from the residuals (`residuals`), with the latent's part kept aside
(`prior_pull`) so that it can be eliminated.
"""

from dataclasses import dataclass, field, replace

from ..arrays import Array, as_kind, namespace
from ..linalg import matvec
from ..prior.base import Prior
from ..rotations import vee
from ..skeleton import N_BODY
from .bones import Bones, Kinematics
from .prior_pull import Pull, PullWeights, Slopes, pull_cost, pull_model, slopes
from .residuals import Hearing, Normal, Residual
from .state import PoseState, Unknowns


@dataclass(frozen=True)
class Weights:
    """How much what is expected counts beside the keypoints, one unit of which is one sigma of theirs."""

    latent: float = 1.0
    residual: float = 30.0  # per rad^2 that a body joint is turned from the prior: one unit at 0.18 rad
    fingers: float = 4.0  # per rad^2 that a finger is turned from rest
    betas: float = 1.0

    @property
    def pull_weights(self) -> PullWeights:
        return self.latent, self.residual


@dataclass(frozen=True)
class Stage:
    """One minimisation: what is free, how keypoints are heard, how terms are weighed, how long."""

    unknowns: Unknowns = field(default_factory=Unknowns)
    weights: Weights = field(default_factory=Weights)
    hearing: Hearing = field(default_factory=Hearing)
    iterations: int = 20
    damping: float = 0.1  # at the start; 1e-3 where the start is known to be near
    tolerance: float = 1e-4  # predicted decrease, relative to the cost, below which a frame is done
    enough: float = 0.0  # the same in units of the cost


@dataclass(frozen=True)
class Evaluation:
    """A state with its joints posed, what the prior makes of its latent, and its cost."""

    state: PoseState
    pose: Kinematics
    D: Array  # (F, 21, 3, 3) decoded rotations
    cost: Array  # (F,)

    def take(self, rows: Array) -> "Evaluation":
        return Evaluation(self.state.take(rows), self.pose.take(rows), self.D[rows], self.cost[rows])

    def where(self, mask: Array, other: "Evaluation") -> "Evaluation":
        """These frames where the mask (F,) is true, the other's elsewhere."""
        xp = namespace(mask)
        D, cost = xp.where(mask[:, None, None, None], self.D, other.D), xp.where(mask, self.cost, other.cost)
        return Evaluation(self.state.where(mask, other.state), self.pose.where(mask, other.pose), D, cost)


@dataclass(frozen=True)
class Model:
    """A quadratic model of the cost at a state."""

    normal: Normal  # of all but the prior, by the body tangent
    pull: Pull

    def take(self, rows: Array) -> "Model":
        return Model(Normal(self.normal.g[rows], self.normal.H[rows]), self.pull.take(rows))

    def where(self, mask: Array, other: "Model") -> "Model":
        xp = namespace(mask)
        g = xp.where(mask[:, None], self.normal.g, other.normal.g)
        H = xp.where(mask[:, None, None], self.normal.H, other.normal.H)
        return Model(Normal(g, H), self.pull.where(mask, other.pull))


@dataclass(frozen=True)
class Problem:
    """Keypoints of F frames on the bones of a body, and the prior that fills in the rest."""

    bones: Bones
    prior: Prior
    residuals: tuple[Residual, ...]
    anchor: Array | None = None  # (F, L) the latents expected; None for where the prior's latent space draws them
    fingers: Array | None = None  # (J - 22, 3, 3) rotations at rest of the joints beyond the body's

    def take(self, rows: Array) -> "Problem":
        """The frames of an index array."""
        anchor = None if self.anchor is None else self.anchor[rows]
        return replace(self, residuals=tuple(r.take(rows) for r in self.residuals), anchor=anchor)

    def like(self, example: Array) -> "Problem":
        """This problem with arrays of the kind, dtype and device of the example."""
        optional = {n: None if (a := getattr(self, n)) is None else as_kind(a, example) for n in ("anchor", "fingers")}
        residuals = tuple(r.like(example) for r in self.residuals)
        return replace(self, bones=self.bones.like(example), residuals=residuals, **optional)

    def evaluate(self, state: PoseState, stage: Stage) -> Evaluation:
        """The joints in the world and the cost of a state."""
        return self.costed(state, state.on(self.bones), self.prior.decode(state.z), stage)

    def costed(self, state: PoseState, pose: Kinematics, D: Array, stage: Stage) -> Evaluation:
        """The cost of a state whose joints are posed and whose latent is decoded already."""
        xp, w = namespace(D), stage.weights
        cost = pull_cost(self._z_error(state), D, state.R_local, w.pull_weights)
        for residual in self.residuals:
            cost = cost + residual.cost(pose, stage.hearing)
        if state.betas.shape[1]:
            cost = cost + w.betas * xp.sum(state.betas * state.betas, axis=-1)
        if self.fingers is not None:
            apart = 3 * self.fingers.shape[0] - xp.sum(self.fingers * state.R_local[:, N_BODY:], axis=(1, 2, 3))
            cost = cost + w.fingers * apart
        return Evaluation(state, pose, D, cost)

    def model(self, at: Evaluation, stage: Stage, last: Slopes | None = None) -> Model:
        """The quadratic model of the cost at an evaluated state; the last slopes serve again where they hold."""
        normal = self.residuals[0].normal(at.pose, stage.hearing)
        for residual in self.residuals[1:]:
            normal = normal + residual.normal(at.pose, stage.hearing)
        if n := at.state.betas.shape[1]:
            _add_ridge(normal, stage.weights.betas, at.state.betas, normal.g.shape[-1] - n)
        if self.fingers is not None:
            self._add_fingers(normal, at, stage.weights.fingers)
        return Model(normal, self.pull_at(at, stage, last))

    def pull_at(self, at: Evaluation, stage: Stage, last: Slopes | None = None) -> Pull:
        """What the prior asks at an evaluated state."""
        z = at.state.z
        known = slopes(self.prior, z, stage.weights.pull_weights) if last is None else last.at(self.prior, z)
        return pull_model(self._z_error(at.state), at.D, at.pose, known)

    def _z_error(self, state: PoseState) -> Array:
        return self.prior.space.off(state.z) if self.anchor is None else state.z - self.anchor

    def _add_fingers(self, normal: Normal, at: Evaluation, weight: float) -> None:
        xp = namespace(normal.g)
        G = at.pose.G[:, N_BODY:]
        E = xp.matrix_transpose(self.fingers) @ at.state.R_local[:, N_BODY:]
        s_world = xp.reshape(matvec(G, vee(E)), (G.shape[0], -1))
        _add_ridge(normal, weight, s_world, 3 * N_BODY)


def _add_ridge(normal: Normal, weight: float, value: Array, first: int) -> None:
    """Add `weight |value + step|^2` for the columns from the first on."""
    n, stride = value.shape[-1], normal.H.shape[-1] + 1
    normal.g[:, first : first + n] += weight * value
    diagonal = normal.H.reshape(normal.H.shape[0], -1)[:, ::stride]
    diagonal[:, first : first + n] += weight
