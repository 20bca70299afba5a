# SPDX-License-Identifier: Apache-2.0
"""Objectives for the reference engine: human_body_prior's on any body and prior, and pixels without a prior.

All frames are independent; a target that is NaN is unseen and costs nothing. Rotations among the parameters are
rotation vectors, radians.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import as_kind
from ..body import BodyModel
from ..errors import TargetError
from ..prior.base import Prior
from ..rotations import exp_so3, identity_like, log_so3
from ..skeleton import N_BODY, N_POSE
from .points import fitted_length
from .reference import ReferenceStage
from .state import PoseState

if TYPE_CHECKING:
    from torch import Tensor

USUAL_WEIGHTS: Mapping[str, float] = {"points": 10.0, "latent": 0.01, "betas": 0.5}
"""Those of human_body_prior's tutorials, for the terms of `PointsOnPrior`."""

USUAL_STAGE = ReferenceStage(USUAL_WEIGHTS, iterations=300, tolerance=5e-4, window=1)
"""Their one stage. They stop once an iteration gains less than 1e-4, whatever the cost; 22 joints cost about 0.2."""

_NEAREST = 0.05  # metres before the camera: what is nearer or behind is taken to be there


class PointsOnPrior:
    """Points of the body reach for places in the world, the pose made by a prior.

    Parameters: `z` (n, L), `root` (n, 3) the pelvis' world orientation, `trans` (n, 3) metres, `betas` (n, B).
    Terms: `points` the sum of squared distances, m^2; `latent` |z|^2, counted from where the prior's latent space draws
    it; `betas` |betas|^2.

    Args:
        body: any body.
        prior: any prior that decodes torch tensors.
        targets: (F, J + V, 3) metres; of the joints, then of the vertices; NaN where unseen.
        joints: J indices of joints.
        vertices: V indices of vertices.
        whole_mesh: pose and skin every vertex of the body in each evaluation, as human_body_prior does; False for
            the points that are needed alone.

    Raises:
        TargetError: the targets' shape.
    """

    def __init__(
        self, body: BodyModel, prior: Prior, targets: "Tensor", joints: Sequence[int] = range(N_BODY),
        vertices: Sequence[int] = (), whole_mesh: bool = True,
    ):  # fmt: skip
        self._body, self._prior = body.like(targets), prior
        self._targets = _Targets(targets, len(joints) + len(vertices), 3)
        self._joints, self._vertices = list(joints), list(vertices)
        self._posed = True if whole_mesh else self._vertices or False

    def __call__(self, parameters: Mapping[str, "Tensor"], frames: "Tensor") -> dict[str, "Tensor"]:
        z, betas = parameters["z"], parameters["betas"]
        error = self._targets.error(self.points(parameters), frames)
        off = self._prior.space.off(z)
        return {"points": error, "latent": (off * off).sum(-1), "betas": (betas * betas).sum(-1)}

    def points(self, parameters: Mapping[str, "Tensor"]) -> "Tensor":
        """Where (n, J + V, 3) the points are, metres."""
        import torch

        R_root = exp_so3(parameters["root"])[:, None]
        R_local = torch.cat([R_root, self._prior.decode(parameters["z"])], dim=1)
        posed = self._body.pose(R_local, parameters["trans"], parameters["betas"], vertices=self._posed)
        points = posed.joints[:, self._joints]
        if not self._vertices:
            return points
        assert posed.vertices is not None
        vertices = posed.vertices[:, self._vertices] if self._posed is True else posed.vertices
        return torch.cat([points, vertices], dim=1)

    def rest_start(self) -> dict[str, "Tensor"]:
        """Where human_body_prior starts: the rest pose as the prior sees it, at the origin, of zero betas."""
        targets = self._targets.values
        z = self._prior.encode(identity_like(targets, (len(targets), N_POSE)))
        zeros = {"root": 3, "trans": 3, "betas": self._body.num_betas}
        return {"z": z, **{name: targets.new_zeros((len(targets), n)) for name, n in zeros.items()}}

    def parameters_of(self, state: PoseState) -> dict[str, "Tensor"]:
        """A solver's state as parameters: to start from it, or to learn its cost here.

        What the state turns joints from the prior's pose is lost: parameters know the latent alone.
        """
        betas = fitted_length(np.asarray(state.betas), self._body.num_betas)
        arrays = {"z": state.z, "root": log_so3(state.R_local[:, 0]), "trans": state.trans, "betas": betas}
        return {name: as_kind(array, self._targets.values) for name, array in arrays.items()}


class PixelsPerJoint:
    """Joints project onto pixels of a known camera, each turning on its own: what 2D keypoints give without a prior.

    The world is the camera's: x right, y down, z forward. `pixel = focal * (x, y) / z + centre`.
    Parameters: `rotations` (n, 21, 3) relative to the parents, `root` (n, 3) the pelvis' orientation, `trans` (n, 3)
    metres. Terms: `pixels` the sum of squared distances, pixels^2; `rotations` the sum of squared angles, rad^2.

    Args:
        body: any body, at zero betas.
        pixels: (F, P, 2), NaN where unseen.
        joints: P indices of joints.
        focal: pixels.
        centre: (2,) the principal point, pixels.

    Raises:
        TargetError: the pixels' shape.
    """

    def __init__(self, body: BodyModel, pixels: "Tensor", joints: Sequence[int], focal: float, centre: Sequence[float]):
        self._body = body.like(pixels)
        self._targets = _Targets(pixels, len(joints), 2)
        self._joints, self._focal, self._centre = list(joints), focal, as_kind(centre, pixels)

    def __call__(self, parameters: Mapping[str, "Tensor"], frames: "Tensor") -> dict[str, "Tensor"]:
        rotations = parameters["rotations"]
        error = self._targets.error(self.pixels(parameters), frames)
        return {"pixels": error, "rotations": (rotations * rotations).sum((-2, -1))}

    def joints(self, parameters: Mapping[str, "Tensor"]) -> "Tensor":
        """All joints (n, J, 3) of the body, metres, in the camera's axes."""
        import torch

        rotations = torch.cat([parameters["root"][:, None], parameters["rotations"]], dim=1)
        return self._body.pose(exp_so3(rotations), parameters["trans"]).joints

    def pixels(self, parameters: Mapping[str, "Tensor"]) -> "Tensor":
        """Where (n, P, 2) the joints appear."""
        p = self.joints(parameters)[:, self._joints]
        return self._focal * p[..., :2] / p[..., 2:].clamp(min=_NEAREST) + self._centre

    def facing_start(self, distance: float) -> dict[str, "Tensor"]:
        """At rest, upright and facing the camera, so many metres before it."""
        values = self._targets.values
        start = {name: values.new_zeros((len(values), 3)) for name in ("root", "trans")}
        start["root"][:, 0] = np.pi
        start["trans"] += as_kind([0.0, 0.0, distance], values) - self._body.joints_template[0]
        return {"rotations": values.new_zeros((len(values), N_POSE, 3)), **start}


class _Targets:
    """Targets (F, P, d) and which of them are seen."""

    def __init__(self, targets: "Tensor", n_points: int, d: int):
        if targets.ndim != 3 or tuple(targets.shape[1:]) != (n_points, d):
            raise TargetError(f"Targets have shape {tuple(targets.shape)}; expected (frames, {n_points}, {d})")
        self._seen = targets.isfinite().all(-1)
        self.values = targets.where(self._seen[..., None], targets.new_zeros(()))

    def error(self, points: "Tensor", frames: "Tensor") -> "Tensor":
        """Sums (n,) of squared distances of points (n, P, d) from the targets that are seen."""
        apart = (points - self.values[frames]).square().sum(-1)
        return apart.where(self._seen[frames], apart.new_zeros(())).sum(-1)
