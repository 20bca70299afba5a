# SPDX-License-Identifier: Apache-2.0
"""The hands of a take: markers on fingers kept apart from those of the body, and solved once the body is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..body import BodyModel
from ..ik.state import PoseState
from ..skeleton import joint_index
from .c3d import C3D
from .calibration_file import Calibration
from .fingers import FingerMotion, finger_of, has_fingers, solve_fingers
from .layouts import LabelMap
from .marker_points import place_markers
from .subject import Subject
from .take_markers import markers_of_take
from .timing import Sampling

_UNKNOWN = np.full(3, np.nan)
_WRISTS = [joint_index("left_wrist"), joint_index("right_wrist")]


@dataclass(frozen=True)
class Hands:
    """What of a take shows fingers, solved: K markers, F frames."""

    labels: tuple[str, ...]
    markers: np.ndarray  # (F, K, 3) metres, Z up, NaN where unseen
    motion: FingerMotion


def without_fingers(label_map: LabelMap) -> LabelMap:
    """The map of the body's markers alone."""
    return replace(label_map, columns={c: m for c, m in label_map.columns.items() if finger_of(m) is None})


def hands_of_take(
    take: C3D, label_map: LabelMap, times: Sampling, up_axis: str, body: BodyModel, known: Calibration,
    subject: Subject, state: PoseState, report: Callable[[float], None] = lambda fraction: None,
) -> Hands | None:  # fmt: skip
    """Solve the fingers that carry markers; None where none does, or the body has no fingers.

    Args:
        take: the take.
        label_map: of all markers.
        times: which frames.
        up_axis: as the body's markers found it.
        body: a body with a mesh.
        known: offsets and places that are known.
        subject: the solved body's.
        state: the solved body in each frame.
        report: called with the fraction done.
    """
    columns = {c: m for c, m in label_map.columns.items() if finger_of(m) is not None}
    if not columns or not has_fingers(body):
        return None
    shown = markers_of_take(take, replace(label_map, columns=columns), times, up_axis)
    markers = shown.markers
    placed = place_markers(body, shown.labels, known.places).points.with_betas(subject.betas)
    pose = state.on(subject.points.bones)
    wrists = np.asarray(pose.G)[:, _WRISTS], np.asarray(pose.p)[:, _WRISTS]
    offsets = np.array([known.offsets.get(label, _UNKNOWN) for label in shown.labels])
    motion = solve_fingers(placed, body, subject.betas, wrists, markers, offsets, times.rate, report)
    return Hands(shown.labels, markers, motion)


def with_hands(
    hands: Hands, inside: slice, residual: np.ndarray, markers: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Residuals (F, M + K), markers and order of a body's M markers and, after them, the K of the hands."""
    seen, n, k = hands.markers[inside], order.shape[1], len(hands.labels)
    missed = np.linalg.norm(hands.motion.places[inside] - seen, axis=-1)
    own = np.broadcast_to(np.arange(n, n + k), missed.shape)
    order = np.concatenate([np.where(order >= n, order + k, order), own], axis=1)
    return np.concatenate([residual, missed], axis=1), np.concatenate([markers, seen], axis=1), order
