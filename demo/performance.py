# SPDX-License-Identifier: Apache-2.0
"""A take of the demo's own: markers on the skin of an animated body as Blender deforms it, with noise and gaps."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

LAYOUT = "CMU41"
RATE = 60.0  # Hz
SEEDS = (9, 12, 18, 29)
SPACING = 30  # frames of the scene between them
NOISE = 0.001  # metres
RADIUS = 0.0095  # metres, from the skin to a marker's centre


@dataclass(frozen=True)
class Truth:
    """What was recorded, and where the joints really were."""

    n_frames: int
    n_markers: int
    rate: float
    gaps: float  # fraction of the marker-frames that nobody saw
    joints: np.ndarray  # (frames of the scene, 22, 3) metres
    names: tuple[str, ...]

    def joint_errors(self, body: bpy.types.Object) -> tuple[float, float]:
        """Mean and 95th percentile of the distance, mm, of a solved body's joints from where they really were."""
        errors = []
        for i, joints in enumerate(self.joints):
            bpy.context.scene.frame_set(1 + i)
            errors.append(np.linalg.norm(_joints(body, self.names) - joints, axis=1))
        return round(1e3 * float(np.mean(errors)), 2), round(1e3 * float(np.percentile(errors, 95)), 2)


def record(path: Path, place: tuple[float, float, float]) -> Truth:
    """Animate a body, follow its markers, write them as C3D, and remove the body again."""
    from .story import core

    before = set(bpy.data.objects)
    body = _performer(place)
    scene = bpy.context.scene
    labels, vertices = _marker_vertices(core)
    n_scene = SPACING * (len(SEEDS) - 1) + 1
    times = np.arange(int((n_scene - 1) / scene.render.fps * RATE) + 1) / RATE
    markers = np.stack([_markers_at(body, vertices, 1 + t * scene.render.fps) for t in times])
    names = tuple(core("skeleton").BODY_JOINTS)
    joints = np.stack([_joints_at(body, names, 1 + i) for i in range(n_scene)])
    rng = np.random.default_rng(1)
    markers += rng.normal(scale=NOISE, size=markers.shape)
    hidden = _gaps(rng, *markers.shape[:2])
    markers[hidden] = np.nan
    _write_c3d(path, labels, markers)
    for obj in [obj for obj in bpy.data.objects if obj not in before]:
        bpy.data.objects.remove(obj)
    bpy.ops.outliner.orphans_purge(do_recursive=True)
    return Truth(len(times), len(labels), RATE, round(float(hidden.mean()), 4), joints, names)


def _performer(place: tuple[float, float, float]) -> bpy.types.Object:
    """A body that goes through poses while it turns and moves."""
    scene = bpy.context.scene
    scene.cursor.location = (0, 0, 0)
    bpy.ops.poise.add_body()
    body = bpy.context.object
    for seed in SEEDS:
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
    scene.frame_set(1)
    bpy.ops.poise.interpolate(source="STORED", spacing=SPACING)
    last = 1 + SPACING * (len(SEEDS) - 1)
    for frame, side, turn in ((1, -0.25, -0.3), (last, 0.25, 0.5)):
        body.location = (place[0] + side, place[1], place[2])
        body.rotation_euler[2] = turn
        body.keyframe_insert("location", frame=frame)
        body.keyframe_insert("rotation_euler", frame=frame)
    return body


def _marker_vertices(core: object) -> tuple[list[str], np.ndarray]:
    """Labels and, for each, the vertex of the default body nearest to its anatomical place."""
    body = core("body").default_body()  # type: ignore[operator]
    labels = sorted(set(core("mocap.layouts").LAYOUTS[LAYOUT].labels.values()))  # type: ignore[operator]
    placed = core("mocap.marker_points").place_markers(body, labels).points.rest  # type: ignore[operator]
    distance = np.linalg.norm(body.v_template[None] - placed[:, None], axis=-1)
    return labels, np.argmin(distance, axis=1)


def _markers_at(body: bpy.types.Object, vertices: np.ndarray, frame: float) -> np.ndarray:
    """Centres (M, 3) of the markers at a time of the scene, from the mesh as Blender evaluates it."""
    bpy.context.scene.frame_set(int(frame), subframe=frame - int(frame))
    mesh_object = next(child for child in body.children if child.type == "MESH")
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    at, normals = np.empty((len(mesh.vertices), 3), np.float32), np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", at.ravel())
    mesh.vertex_normals.foreach_get("vector", normals.ravel())
    evaluated.to_mesh_clear()
    world = np.array(evaluated.matrix_world)
    return (at[vertices] + RADIUS * normals[vertices]).astype(float) @ world[:3, :3].T + world[:3, 3]


def _joints_at(body: bpy.types.Object, names: tuple[str, ...], frame: int) -> np.ndarray:
    bpy.context.scene.frame_set(frame)
    return _joints(body, names)


def _joints(body: bpy.types.Object, names: tuple[str, ...]) -> np.ndarray:
    return np.array([body.matrix_world @ body.pose.bones[name].head for name in names])


def _gaps(rng: np.random.Generator, n_frames: int, n_markers: int) -> np.ndarray:
    """What nobody saw: a few runs for each marker, and one moment in which all are lost."""
    hidden = np.zeros((n_frames, n_markers), bool)
    for marker in range(n_markers):
        for start in rng.integers(0, n_frames, size=2):
            hidden[start : start + rng.integers(2, 12), marker] = True
    hidden[n_frames // 2 : n_frames // 2 + 3] = True
    return hidden


def _write_c3d(path: Path, labels: list[str], markers: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "markers.npz"
        np.savez(arrays, points=markers, labels=np.array(labels), rate=np.array(RATE))
        subprocess.run([sys.executable, Path(__file__).with_name("write_c3d.py"), arrays, path], check=True)
