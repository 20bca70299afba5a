# SPDX-License-Identifier: Apache-2.0
"""Material slots of the default body: a clay-coloured figure in a two-tone training suit."""

from dataclasses import dataclass

import numpy as np

from vendor_core.skeleton import JOINTS

from .edge_loops import Edge, QuadTopology, ring

# name -> linear base colour RGBA, roughness
MATERIALS: dict[str, tuple[tuple[float, float, float, float], float]] = {
    "skin": ((0.52, 0.31, 0.215, 1.0), 0.55),
    "suit": ((0.045, 0.085, 0.13, 1.0), 0.7),
    "trim": ((0.40, 0.13, 0.035, 1.0), 0.65),
    "lips": ((0.46, 0.225, 0.17, 1.0), 0.45),
    "eye_white": ((0.80, 0.79, 0.77, 1.0), 0.2),
    "iris": ((0.10, 0.05, 0.02, 1.0), 0.2),
    "pupil": ((0.004, 0.004, 0.004, 1.0), 0.1),
}
_SLOT = {name: slot for slot, name in enumerate(MATERIALS)}
_SLEEVE, _HEM = 0.42, 0.6  # where along upper arm and thigh the suit ends
_COLLAR_ABOVE_NECK = -0.035  # metres, the neckline against the neck joint
_WAIST_ABOVE_SPINE1 = -0.016
_LIP_HEIGHT = 0.021


@dataclass(frozen=True)
class Figure:
    """The template in its T pose: points, faces, joints and who moves what."""

    vertices: np.ndarray  # (V, 3)
    quads: np.ndarray  # (Q, 4)
    joints: np.ndarray  # (55, 3)
    weights: np.ndarray  # (V, 55)
    mirror: np.ndarray  # (V,)

    def joint(self, name: str) -> np.ndarray:
        """Position (3,) of a joint."""
        return self.joints[JOINTS.index(name)]

    def follows(self, *names: str) -> np.ndarray:
        """(V,) summed weights of some joints."""
        return self.weights[:, [JOINTS.index(name) for name in names]].sum(1)


def assign_materials(figure: Figure) -> np.ndarray:
    """Material slot (Q,) of each quad."""
    topology = QuadTopology(figure.quads)
    material = np.full(len(figure.quads), _SLOT["skin"])
    borders = _suit_borders(figure, topology)
    walls = [edge for border in borders for edge in border]
    suit = topology.fill(_nearest_quad(figure, figure.joint("pelvis")), walls)
    material[sorted(suit)] = _SLOT["suit"]
    for edge in walls:
        material[[q for q in topology.quads_of[edge] if q in suit]] = _SLOT["trim"]
    material[_belt(figure, topology)] = _SLOT["trim"]
    material[sorted(_lips(figure, topology))] = _SLOT["lips"]
    _paint_eyes(figure, material)
    return material


def _nearest_quad(figure: Figure, point: np.ndarray) -> int:
    return int(np.linalg.norm(figure.vertices[figure.quads].mean(1) - point, axis=1).argmin())


def _suit_borders(figure: Figure, topology: QuadTopology) -> list[list[Edge]]:
    neck = figure.joint("neck")
    borders = [topology.loop_around(
        figure.vertices[:, 1], neck[1] + _COLLAR_ABOVE_NECK, np.abs(figure.vertices[:, 0]) < 0.12
    )]  # fmt: skip
    for start, end, reach in (("left_shoulder", "left_elbow", _SLEEVE), ("left_hip", "left_knee", _HEM)):
        origin, bone = figure.joint(start), figure.joint(end) - figure.joint(start)
        along = (figure.vertices - origin) @ bone / (bone @ bone)
        path = topology.loop_around(along, reach, figure.follows(start, end) > 0.5)
        borders += [path, figure.mirror[path].tolist()]
    return [ring(path) for path in borders]


def _belt(figure: Figure, topology: QuadTopology) -> list[int]:
    """The ring of quads above the loop around the waist."""
    height = figure.vertices[:, 1]
    trunk = figure.follows("pelvis", "spine1", "spine2") > 0.9
    waist = ring(topology.loop_around(height, figure.joint("spine1")[1] + _WAIST_ABOVE_SPINE1, trunk))
    return [max(topology.quads_of[edge], key=lambda q: height[figure.quads[q]].mean()) for edge in waist]


def _lips(figure: Figure, topology: QuadTopology) -> set[int]:
    """Quads within the loop around the mouth that is as tall as the lips, the mouth's inside included."""
    x, y, z = figure.vertices.T
    jaw, head = figure.joint("jaw"), figure.joint("head")
    near = np.flatnonzero((np.abs(x) < 0.04) & (np.abs(y - jaw[1]) < 0.06) & (z > head[2] + 0.08))
    loops = [path for a in near for b in topology.neighbours[int(a)] if (path := topology.loop(int(a), b))]
    across = [path for path in loops if x[path].min() < -0.01 < 0.01 < x[path].max() and z[path].min() > head[2] + 0.1]
    lips = min(across, key=lambda path: abs(np.ptp(y[path]) - _LIP_HEIGHT))
    inside = topology.fill(_nearest_quad(figure, figure.joint("pelvis")), ring(lips))
    eyes = np.isin(figure.quads[:, 0], np.flatnonzero(figure.follows(*_EYES) > 0.5))
    return {q for q in range(len(figure.quads)) if q not in inside and not eyes[q]}


_EYES = ("left_eye_smplhf", "right_eye_smplhf")


def _paint_eyes(figure: Figure, material: np.ndarray) -> None:
    """Iris and pupil are the rings about the front of each eyeball."""
    for eye in _EYES:
        ball = np.flatnonzero(figure.follows(eye)[figure.quads].min(1) > 0.5)
        points = figure.vertices[np.unique(figure.quads[ball])]
        outward = figure.vertices[figure.quads[ball]].mean(1) - 0.5 * (points.max(0) + points.min(0))
        angle = np.degrees(np.arccos(outward[:, 2] / np.linalg.norm(outward, axis=1)))
        material[ball] = np.select([angle < 11, angle < 25], [_SLOT["pupil"], _SLOT["iris"]], _SLOT["eye_white"])
