# SPDX-License-Identifier: GPL-3.0-or-later
"""What the heat map of a body shows: how much each joint is out of place, as colours of the skin or of the bones.

A vertex is as hot as the joints whose bones carry it, `h_v = sum_j w_vj b_j`: w are its skin weights, b_j is how much
joint j is to blame, 0 to 1. Fingers and face count as the wrist and the head. All of it is read at every change of a
pose, so it is read in bulk.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from ...vendor_core.skeleton import JOINTS, N_BODY, PARENTS
from .convert import snapped_axes
from .names import bones_of_joints, joint_of_bone
from .pose import bone_matrices

COLD, HOT = np.array([1.0, 0.78, 0.2, 0.0]), np.array([0.75, 0.06, 0.02, 0.9])
"""Ends of the scale, from clear amber to dark red: it darkens all the way, so that no one needs to tell hues apart."""
_SHOWN = 0.02  # heat below which nothing is drawn


@dataclass(frozen=True)
class Skin:
    """What of a mesh does not change with the pose."""

    weights: np.ndarray  # (V, 21) float32, of the joints 1..21
    triangles: np.ndarray  # (T, 3)
    groups: tuple[str, ...]  # names of the vertex groups

    def fits(self, obj: bpy.types.Object, mesh: bpy.types.Mesh) -> bool:
        """Whether an object and its evaluated mesh may be the ones that this was read of: weights are not compared."""
        counts = len(self.weights), len(self.triangles)
        same = counts == (len(mesh.vertices), len(mesh.loop_triangles))
        return same and self.groups == tuple(obj.vertex_groups.keys())


@dataclass(frozen=True, eq=False)
class Heat:
    """Coloured triangles or lines, in an object's own space."""

    object_name: str
    kind: str  # "TRIS" or "LINES"
    points: np.ndarray  # (N, 3) float32
    colours: np.ndarray  # (N, 4) float32 RGBA


def colours_of(heat: np.ndarray) -> np.ndarray:
    """The scale's colours (..., 4) float32 at heats (...), 0 to 1."""
    t = np.clip(heat, 0, 1)[..., None]
    colours = COLD + t * (HOT - COLD)
    colours[..., 3] = HOT[3] * np.sqrt(t[..., 0])  # little heat is to be seen too
    return colours.astype(np.float32)


def body_turns(obj: bpy.types.Object) -> np.ndarray:
    """Rotations (21, 3, 3) of the joints 1..21 that the bones of a rig show: `read_pose`, but for the root, faster."""
    found = bones_of_joints(obj.data.bones.keys())
    names = [found[joint] for joint in JOINTS[:N_BODY]]
    rest = bone_matrices(obj.data.bones, "matrix_local", names)
    posed = bone_matrices(obj.pose.bones, "matrix", names)
    P = posed[:, :3, :3] / np.linalg.norm(posed[:, :3, :3], axis=-2, keepdims=True)
    G = P @ np.swapaxes(rest[:, :3, :3], -1, -2) @ snapped_axes(rest[:, :3, 3])
    return np.swapaxes(G[list(PARENTS[1:N_BODY])], -1, -2) @ G[1:]


def read_skin(obj: bpy.types.Object, mesh: bpy.types.Mesh) -> Skin:
    """The skin weights of an evaluated mesh, by the names of its object's vertex groups. Slow: once per mesh."""
    groups = tuple(obj.vertex_groups.keys())
    joint_of_group = [_body_joint(name) for name in groups]
    rows, columns, values = [], [], []
    for vertex in mesh.vertices:
        for element in vertex.groups:
            joint = joint_of_group[element.group] if element.group < len(joint_of_group) else 0
            if joint > 0:
                rows.append(vertex.index)
                columns.append(joint - 1)
                values.append(element.weight)
    weights = np.zeros((len(mesh.vertices), N_BODY - 1), np.float32)
    np.add.at(weights, (rows, columns), values)
    weights /= np.maximum(weights.sum(1, keepdims=True), 1.0)
    mesh.calc_loop_triangles()
    triangles = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    return Skin(weights, triangles.reshape(-1, 3), groups)


def heat_of_skin(name: str, mesh: bpy.types.Mesh, skin: Skin, blamed: np.ndarray) -> Heat | None:
    """The hot part of an evaluated mesh, for joints blamed by (21,); None where nothing is hot."""
    heat = skin.weights @ blamed.astype(np.float32)
    hot = heat > _SHOWN
    a, b, c = skin.triangles.T
    corners = skin.triangles[hot[a] | hot[b] | hot[c]].reshape(-1)
    if not len(corners):
        return None
    co = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.attributes["position"].data.foreach_get("vector", co)
    return Heat(name, "TRIS", co.reshape(-1, 3)[corners], colours_of(heat[corners]))


def heat_of_bones(obj: bpy.types.Object, blamed: np.ndarray) -> Heat | None:
    """The hot bones of a rig as lines, where it has no mesh to colour."""
    found, hot = bones_of_joints(obj.data.bones.keys()), np.flatnonzero(blamed > _SHOWN)
    if not len(hot):
        return None
    bones = [obj.pose.bones[found[JOINTS[1 + j]]] for j in hot]
    points = np.array([(bone.head[:], bone.tail[:]) for bone in bones], np.float32).reshape(-1, 3)
    return Heat(obj.name, "LINES", points, np.repeat(colours_of(blamed[hot]), 2, axis=0))


def _body_joint(name: str) -> int:
    """The body joint that a bone or vertex group counts as; 0, the root, also for names of no joint."""
    joint = joint_of_bone(name)
    index = 0 if joint is None else JOINTS.index(joint)
    while index >= N_BODY:
        index = PARENTS[index]
    return index
