# SPDX-License-Identifier: Apache-2.0
"""What happens in the demo: a body, three generated poses, in-betweens, a pose from empties, a take solved."""

import importlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from . import performance

MODULE = "bl_ext.user_default.poise"
SEEDS = (7, 19, 33)
SPACING = 24  # frames between the generated poses
TARGETS = {  # joint: metres from where the solved body's cursor is
    "head": (0.02, -0.10, 1.42),
    "left_wrist": (0.55, -0.35, 1.62),
    "right_wrist": (-0.50, -0.05, 0.86),
    "left_ankle": (0.42, -0.16, 0.09),
    "right_ankle": (-0.38, 0.30, 0.14),
}
PLACES = {"generated": (-1.8, 0.0, 0.0), "solved": (0.0, 0.0, 0.0), "take": (1.8, 0.0, 0.0)}


@dataclass
class Log:
    """The steps as they go: what, how long, how well."""

    steps: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[dict[str, Any]]:
        """Time a step; what it writes into the dictionary it is given is kept with it."""
        print(f"    {title}...", flush=True)
        entry: dict[str, Any] = {"step": title}
        start = time.perf_counter()
        yield entry
        entry["seconds"] = round(time.perf_counter() - start, 3)
        self.steps.append(entry)
        facts = ", ".join(f"{key} {value}" for key, value in entry.items() if key != "step")
        print(f"      {facts}", flush=True)


@dataclass(frozen=True)
class Scene:
    """The three bodies of the demo, and what to show of them."""

    generated: bpy.types.Object
    key_frames: tuple[int, ...]
    solved: bpy.types.Object
    targets: list[bpy.types.Object]
    take: bpy.types.Object
    take_name: str
    take_frames: tuple[int, int]
    markers: list[bpy.types.Object]


def play(log: Log, package: Path, take: Path | None, out: Path) -> Scene:
    """Do everything an artist would, through the operators of the installed extension.

    Raises:
        RuntimeError: an operator reported an error.
    """
    with log.step("Install and enable the extension") as entry:
        entry["enable_ms"] = _install(package)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps = 24
    with log.step("Add the default body"):
        generated = _add_body("Generated", PLACES["generated"])
    with log.step("Generate three poses"):
        for seed in SEEDS:
            bpy.ops.poise.generate_pose(seed=seed)
            bpy.ops.poise.store_pose(name=f"Seed {seed}")
    with log.step("Key the latent interpolation between them") as entry:
        bpy.ops.poise.interpolate(source="STORED", spacing=SPACING)
        keys = tuple(1 + SPACING * i for i in range(len(SEEDS)))
        entry["frames"] = keys[-1] - keys[0] + 1
        entry["key_error_deg"] = _error_at_keys(generated, keys)
    with log.step("Solve a pose from five empties") as entry:
        solved, targets = _solve_targets()
        entry["worst_mm"], entry["mean_mm"] = _misses(solved, targets)
    with log.step("Solve poses from all 22 joints, cold, one by one") as entry:
        entry |= _cold_solves()
    truth = None
    if take is None:
        with log.step("Make a C3D take") as entry:
            take = out / "demo_take.c3d"
            truth = performance.record(take, PLACES["take"])
            entry |= {"frames": truth.n_frames, "rate": truth.rate, "markers": truth.n_markers, "gaps": truth.gaps}
    with log.step(f"Import and solve {take.name} in the worker") as entry:
        body, markers = _import(take)
        action = body.animation_data.action
        first, last = (round(frame) for frame in action.frame_range)
        entry["frames"] = last - first + 1
        entry |= {name: action[f"poise_{name}"] for name in ("median_mm", "rejected_fraction")}
        if truth is not None:
            entry["joints_mean_mm"], entry["joints_p95_mm"] = truth.joint_errors(body)
    bpy.context.scene.frame_set(1)
    return Scene(generated, keys, solved, targets, body, take.stem, (first, last), markers)


def _install(package: Path) -> float:
    """Install the zip as a user does; milliseconds that enabling takes."""
    bpy.ops.extensions.package_install_files(filepath=str(package), repo="user_default", enable_on_install=False)
    start = time.perf_counter()
    bpy.ops.preferences.addon_enable(module=MODULE)
    return round(1e3 * (time.perf_counter() - start), 1)


def core(name: str) -> Any:
    """A module of the core, as the extension installed it."""
    return importlib.import_module(f"{MODULE}.vendor_core.{name}")


def _add_body(name: str, place: tuple[float, float, float]) -> bpy.types.Object:
    bpy.context.scene.cursor.location = place
    bpy.ops.poise.add_body()
    body = bpy.context.object
    body.name = name
    return body


def _cold_solves(n: int = 64) -> dict[str, float]:
    """Milliseconds in Blender's process, without any start, and how far the joints of generated poses are missed."""
    body, prior = core("body").default_body(), core("prior").load_prior()
    R = np.tile(np.eye(3), (n, 22, 1, 1))
    R[:, 1:] = prior.decode(prior.sample(n, seed=1))
    joints = body.pose(R).joints[:, :22]
    fit, names, times, misses = core("ik").fit_joints, body.joint_names[:22], [], []
    for frame in joints:
        start = time.perf_counter()
        solved = fit(body, prior, names, frame[None])
        times.append(1e3 * (time.perf_counter() - start))
        misses.append(1e3 * float(solved.residual.mean()))
    p50, p95 = np.percentile(times, (50, 95)).round(2).tolist()
    return {"p50_ms": p50, "p95_ms": p95, "mean_mm": round(float(np.mean(misses)), 3)}


def _error_at_keys(body: bpy.types.Object, keys: tuple[int, ...]) -> float:
    """Largest angle, degrees, between a key's bones and the generated pose that it was stored from."""
    worst = 0.0
    for i, frame in enumerate(keys):
        bpy.context.scene.frame_set(frame)
        shown = [bone.matrix.to_quaternion() for bone in body.pose.bones]
        body.poise.active_pose = i
        action = body.animation_data.action
        body.animation_data.action = None
        for bone in body.pose.bones:
            bone.matrix_basis.identity()
        bpy.ops.poise.apply_pose()
        bpy.context.view_layer.update()
        stored = [bone.matrix.to_quaternion() for bone in body.pose.bones]
        body.animation_data.action = action
        worst = max(worst, *(np.degrees(a.rotation_difference(b).angle) for a, b in zip(shown, stored, strict=True)))
    return round(float(worst), 4)


def _solve_targets() -> tuple[bpy.types.Object, list[bpy.types.Object]]:
    place = PLACES["solved"]
    body = _add_body("Solved", place)
    empties = []
    for joint, offset in TARGETS.items():
        empty = bpy.data.objects.new(joint, None)
        empty.empty_display_type, empty.empty_display_size = "SPHERE", 0.06
        empty.location = Vector(place) + Vector(offset)
        bpy.context.collection.objects.link(empty)
        empties.append(empty)
    bpy.context.view_layer.update()
    for empty in empties:
        empty.select_set(True)
    bpy.ops.poise.solve_targets()
    bpy.context.view_layer.update()
    return body, empties


def _misses(body: bpy.types.Object, targets: list[bpy.types.Object]) -> tuple[float, float]:
    """Largest and mean distance, mm, of the body's joints from their empties."""
    heads = [body.matrix_world @ body.pose.bones[target.name].head for target in targets]
    misses = [1e3 * (head - target.location).length for head, target in zip(heads, targets, strict=True)]
    return round(max(misses), 3), round(float(np.mean(misses)), 3)


def _import(take: Path) -> tuple[bpy.types.Object, list[bpy.types.Object]]:
    bpy.context.scene.cursor.location = (0, 0, 0)
    before = set(bpy.data.objects)
    bpy.ops.poise.import_c3d(filepath=str(take))
    bpy.ops.poise.markers_to_empties()
    new = [obj for obj in bpy.data.objects if obj not in before]
    body = next(obj for obj in new if obj.type == "ARMATURE")
    return body, [obj for obj in new if obj.type == "EMPTY" and obj.parent is not None]


def save(path: Path) -> None:
    """Save the scene, the old file replaced as a whole."""
    bpy.context.preferences.filepaths.save_version = 0
    part = path.with_suffix(".part.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(part), compress=True, copy=True)
    os.replace(part, path)


def version() -> str:
    return bpy.app.version_string
