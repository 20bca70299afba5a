# SPDX-License-Identifier: Apache-2.0
"""What an artist may ask for while dragging besides places: turns of joints, where the face looks, and a floor.

What does not change is made once, for the joints that have handles; an event only fills in its numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..body import BodyModel
from ..errors import TargetError
from ..skeleton import BODY_JOINTS, N_BODY
from .bones import Kinematics
from .checks import array_of, checked_targets, directions
from .points import BodyPoints, joint_points, place, rigid_points
from .residuals import AbovePlane, BoundedLookAt, BoundedOrientation, BoundedPosition, LookAt, Orientation, Residual
from .targets import POSITION_SIGMA, checked_rotations, joints_named

FORWARD = np.array([[0.0, 0.0, 1.0]])
"""Where the face looks, in the head's frame."""
HEAD = BODY_JOINTS.index("head")
_LEG = 0.826  # metres from hip to ankle of the default body, to which the following belong
_EYES = np.array([0.0, 0.04, 0.085])  # metres from the head's joint to between the eyes
_SOLES = {"ankle": ((0.0, -0.07, -0.05), (0.0, -0.07, 0.02)), "foot": ((0.0, -0.018, 0.0), (0.0, -0.018, 0.055))}
"""Metres from joints to heel and arch, ball and toes."""
_CLEAR = 0.85  # share of a joint's height over the sole that it keeps at least, however the foot is turned
_FEET, _DRAGGED = 30.0, 1.5  # how much more feet that are held count, and what is dragged
_HELD_LIMIT, _DRAGGED_LIMIT = 0.05, 0.1  # metres from its target, beyond which a joint is pulled no harder
STILL = 1e-6  # metres
_TURN_SIGMA, _TURN_LIMIT = 0.03, 0.06  # radians; a head does not break its neck to look behind
_GROUND_SIGMA = 5e-4  # metres: no drag presses a foot into the floor


@dataclass(frozen=True)
class Ground:
    """A floor that feet do not sink below.

    Raises:
        TargetError: `up` is no direction.
    """

    height: float = 0.0  # metres from the world's origin, along `up`
    up: Sequence[float] = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "up", directions(np.asarray(self.up), 1)[0])

    def above(self, x: np.ndarray) -> np.ndarray:
        """Metres (...) of places (..., 3) above the floor."""
        return x @ self.up - self.height


@dataclass(frozen=True)
class Asked:
    """What one event asks for: as arrays with NaN where nothing is, and as residuals."""

    positions: np.ndarray  # (P, 3) metres
    rotations: np.ndarray  # (P, 3, 3) in the world
    gaze: np.ndarray  # (3,) metres
    position: BoundedPosition
    turns: Orientation | None
    look: LookAt | None
    soles: AbovePlane | None

    @property
    def anything(self) -> bool:
        return bool(self.position.confidence.any()) or self.turns is not None or self.look is not None

    @property
    def residuals(self) -> tuple[Residual, ...]:
        return tuple(r for r in (self.position, self.turns, self.look, self.soles) if r is not None)

    def misses(self, pose: Kinematics) -> tuple[np.ndarray, np.ndarray, float]:
        """Metres (P,) from places, radians (P,) from turns, radians from the gaze; NaN where nothing is asked."""
        position, turned = self.position, ~np.isnan(self.rotations[:, 0, 0])
        missed = np.where(position.confidence[0] > 0, np.linalg.norm(position.error(pose)[0], axis=-1), np.nan)
        angle, gaze = np.full(len(turned), np.nan), np.nan
        if self.turns is not None:
            angle[turned] = np.linalg.norm(self.turns.error(pose)[0], axis=-1)
        if self.look is not None:
            gaze = float(np.linalg.norm(self.look.error(pose)))
        return missed, angle, gaze

    def motion(self, before: "Asked | None", pose: Kinematics) -> tuple[np.ndarray, float]:
        """Metres (P,) that these places are from those before, NaN where there are none, and the most of any target.

        Where there were none before, the pose's own count. A turn counts as the way of a body's height along with it.
        """
        x = place(self.position.points, pose)[0][0]
        if before is not None:
            x = _filled(before.positions, x)
        way, farthest = np.linalg.norm(self.positions - x, axis=-1), [0.0]
        if self.turns is not None:
            R = pose.G[0, self.position.points.influences[:, 0]]
            R = R if before is None else _filled(before.rotations, R)
            farthest.append(float(np.nanmax(np.linalg.norm(self.rotations - R, axis=(-2, -1)))))
        if self.look is not None and before is not None and before.look is not None:
            farthest.append(float(np.linalg.norm(self.gaze - before.gaze)))
        return way, max(*farthest, float(np.max(way, where=~np.isnan(way), initial=0.0)))


class LiveKeypoints:
    """The residuals of a drag's events.

    Args:
        body: the body.
        names: P joints that have handles.
        ground: the floor, if there is one.

    Raises:
        TargetError: unknown joints.
    """

    def __init__(self, body: BodyModel, names: Sequence[str], ground: Ground | None):
        self.joints, self._ground = np.array(joints_named(body, names), dtype=np.int64), ground
        self.points = joint_points(body, self.joints.tolist())
        size, n = _size_of(body), len(self.points)
        self._eyes = eyes_of(body)
        self._clearance = size * np.array([_clearance(name) for name in names])
        self._feet = np.array([name.endswith(tuple(_SOLES)) for name in names])
        nothing = np.zeros((1, n))
        self._position = BoundedPosition(nothing, POSITION_SIGMA, self.points, np.zeros((1, n, 3)), nothing)
        self._soles = None
        if ground is not None:
            soles, up = soles_of(body), np.asarray(ground.up)
            self._soles = AbovePlane(np.ones((1, len(soles))), _GROUND_SIGMA, soles, up, ground.height)

    def asked(
        self, positions: np.ndarray, weights: np.ndarray | None, rotations: np.ndarray | None, gaze: np.ndarray | None
    ) -> Asked:
        """What an event asks for (see `LiveSolver.solve`).

        Raises:
            TargetError: wrong shapes, or rotations that are none.
        """
        n = len(self.points)
        targets, confidence = checked_targets(array_of(positions, "positions")[None], weights, n)
        position = replace(self._position, targets=self._lifted(targets), confidence=confidence)
        R, turns = self._turns(rotations, weights)
        at, look = self._look(gaze)
        x = np.where(confidence[0, :, None] > 0, targets[0], np.nan)
        return Asked(x, R, at, position, turns, look, self._soles)

    def with_dragged(self, asked: Asked, dragged: np.ndarray) -> Asked:
        """What an event asks for, once it is known which places (P,) the artist drags: the feet stand firm otherwise.

        Where a drag leads out of reach, the body leans and other joints give way before a foot that is held slips.
        """
        more = np.where(dragged, _DRAGGED, np.where(self._feet, _FEET, 1.0))
        limits = np.where(dragged, _DRAGGED_LIMIT, np.where(self._feet, np.inf, _HELD_LIMIT))
        position = replace(asked.position, confidence=asked.position.confidence * more, limits=limits[None])
        return replace(asked, position=position)

    def eyes(self, pose: Kinematics) -> np.ndarray:
        """Where the eyes are, (3,) metres."""
        return place(self._eyes, pose)[0][0, 0]

    def _lifted(self, positions: np.ndarray) -> np.ndarray:
        """Places (F, P, 3) of joints, those of feet where the floor lets them be."""
        if self._ground is None:
            return positions
        sunk = np.where(self._clearance > 0, np.maximum(self._clearance - self._ground.above(positions), 0), 0.0)
        return positions + sunk[..., None] * np.asarray(self._ground.up)

    def _turns(self, rotations: np.ndarray | None, weights: np.ndarray | None) -> tuple[np.ndarray, Orientation | None]:
        n = len(self.points)
        if rotations is None:
            return np.full((n, 3, 3), np.nan), None
        R, confidence = checked_rotations(array_of(rotations, "rotations")[None], weights, n)
        seen = confidence[0] > 0
        if (self.joints[seen] >= N_BODY).any():
            raise TargetError("a joint of the face or the hands is to be turned; expected joints of the body")
        joints, limits = tuple(self.joints[seen].tolist()), np.full((1, int(seen.sum())), _TURN_LIMIT)
        turns = BoundedOrientation(confidence[:, seen], _TURN_SIGMA, joints, R[:, seen], limits)
        return np.where(seen[:, None, None], R[0], np.nan), turns if seen.any() else None

    def _look(self, gaze: np.ndarray | None) -> tuple[np.ndarray, LookAt | None]:
        nothing = np.full(3, np.nan)
        if gaze is None:
            return nothing, None
        at, confidence = checked_targets(array_of(gaze, "gaze")[None, None], None, 1, what="gaze")
        look = BoundedLookAt(confidence, _TURN_SIGMA, self._eyes, FORWARD, at, np.full((1, 1), _TURN_LIMIT))
        return (at[0, 0], look) if confidence.any() else (nothing, None)


def eyes_of(body: BodyModel) -> BodyPoints:
    """The point between the eyes, fixed to the head of a body that may have no skin."""
    return rigid_points(body, [HEAD], eyes_offset(body)[None])


def eyes_offset(body: BodyModel) -> np.ndarray:
    """Metres (3,) from the head's joint to between the eyes, in the head's frame."""
    return _size_of(body) * _EYES


def soles_of(body: BodyModel) -> BodyPoints:
    """Heel, arch, ball and toes of both feet, as points on the bones of a body that may have no skin."""
    parts = [(f"{side}_{part}", offset) for side in ("left", "right") for part in _SOLES for offset in _SOLES[part]]
    joints = [BODY_JOINTS.index(joint) for joint, _ in parts]
    return rigid_points(body, joints, _size_of(body) * np.array([offset for _, offset in parts]))


def _filled(values: np.ndarray, instead: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), instead, values)


def _clearance(joint: str) -> float:
    part = joint.rpartition("_")[2]
    return -_CLEAR * _SOLES[part][0][1] if part in _SOLES else 0.0


def _size_of(body: BodyModel) -> float:
    """The length of the legs, the default body's being 1."""
    rest = np.asarray(body.joints_template)
    hip, ankle = (rest[BODY_JOINTS.index(f"left_{part}")] for part in ("hip", "ankle"))
    return float(np.linalg.norm(hip - ankle)) / _LEG
