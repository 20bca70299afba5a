# SPDX-License-Identifier: Apache-2.0
"""The contact sheet: one rendered tile for each moment worth seeing, labelled, put together."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from . import studio
from .story import Scene

TILE = (360, 540)  # pixels
GUTTER = 10
SAMPLES = 10


@dataclass(frozen=True)
class Tile:
    """A body at a frame."""

    body: bpy.types.Object
    frame: int
    label: str
    extras: tuple[bpy.types.Object, ...] = ()  # shown with it


def render(scene: Scene, target: Path) -> None:
    """Build the studio, render every tile and write the sheet."""
    studio.build()
    studio.add_spheres(scene.targets, 0.05, (0.95, 0.35, 0.05), "Target")
    studio.add_spheres(scene.markers, 0.012, (0.05, 0.45, 0.95), "Marker")
    _set_render()
    rows = _rows(scene)
    everything = {scene.generated, scene.solved, scene.take, *scene.targets, *scene.markers}
    label = _label()
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for row in rows:
            distance = max(studio.distance_for(_skin_at(tile), TILE[0] / TILE[1]) for tile in row)
            for tile in row:
                _show_only(tile, everything)
                studio.aim(_skin_at(tile), distance)
                label.data.body = tile.label
                path = Path(folder) / f"{len(pictures)}.png"
                bpy.context.scene.render.filepath = str(path)
                with _quiet():
                    bpy.ops.render.render(write_still=True)
                pictures.append(_pixels(path))
                print(f"      {len(pictures)} of {sum(map(len, rows))}: {tile.label}", flush=True)
    _write(_compose(pictures, len(rows)), target)
    bpy.data.objects.remove(label)
    _show_all(scene, everything)


def _rows(scene: Scene) -> list[list[Tile]]:
    a, b, c = scene.key_frames
    first = [
        Tile(scene.generated, a, "Generated pose 1"),
        Tile(scene.generated, (a + b) // 2, "In between"),
        Tile(scene.generated, b, "Generated pose 2"),
        Tile(scene.generated, (b + c) // 2, "In between"),
        Tile(scene.generated, c, "Generated pose 3"),
    ]
    second = [Tile(scene.solved, 1, "Solved from five targets", tuple(scene.targets))]
    begin, end = scene.take_frames
    for share in (0.02, 0.35, 0.68, 0.98):
        frame = round(begin + share * (end - begin))
        second.append(Tile(scene.take, frame, f"{scene.take_name}.c3d, frame {frame}", tuple(scene.markers)))
    return [first, second]


def _skin_at(tile: Tile) -> np.ndarray:
    bpy.context.scene.frame_set(tile.frame)
    return studio.skin_of(tile.body)


def _show_only(tile: Tile, everything: set[bpy.types.Object]) -> None:
    shown = {tile.body, *tile.extras}
    for obj in everything:
        for part in (obj, *obj.children):
            part.hide_render = obj not in shown


def _show_all(scene: Scene, everything: set[bpy.types.Object]) -> None:
    """Leave the file as one wants to open it: all bodies visible, the camera on them."""
    for obj in everything:
        for part in (obj, *obj.children):
            part.hide_render = False
    bpy.context.scene.frame_set(scene.key_frames[1])
    points = np.concatenate([studio.skin_of(body) for body in (scene.generated, scene.solved, scene.take)])
    bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 1280, 720
    studio.aim(points, studio.distance_for(points, 1.0))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Cycles tells of each of its steps off the terminal."""
    sys.stdout.flush()
    terminal, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        yield
    finally:
        os.dup2(terminal, 1)
        os.close(terminal)
        os.close(nothing)


def _set_render() -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", SAMPLES, True
    scene.cycles.denoising_prefilter, scene.cycles.denoising_quality = "FAST", "FAST"
    scene.cycles.max_bounces = 4
    scene.render.resolution_x, scene.render.resolution_y = TILE
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"


def _label() -> bpy.types.Object:
    """Text before the camera, at the foot of the tile."""
    camera = bpy.context.scene.camera
    curve = bpy.data.curves.new("Label", "FONT")
    curve.align_x, curve.size = "CENTER", 0.021
    material = bpy.data.materials.new("Label")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    glow = nodes.new("ShaderNodeEmission")
    glow.inputs["Color"].default_value = (0.015, 0.02, 0.025, 1)
    material.node_tree.links.new(glow.outputs[0], nodes["Material Output"].inputs["Surface"])
    curve.materials.append(material)
    label = bpy.data.objects.new("Label", curve)
    label.parent = camera
    label.location = (0, -0.237, -1)
    for ray in ("visible_diffuse", "visible_glossy", "visible_shadow"):
        setattr(label, ray, False)
    bpy.context.scene.collection.objects.link(label)
    return label


def _pixels(path: Path) -> np.ndarray:
    """(height, width, 4) of an image file, bottom row first, 0..1."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)


def _compose(pictures: list[np.ndarray], n_rows: int) -> np.ndarray:
    columns = len(pictures) // n_rows
    height, width = pictures[0].shape[:2]
    sheet = np.ones((n_rows * (height + GUTTER) + GUTTER, columns * (width + GUTTER) + GUTTER, 4), np.float32)
    for i, picture in enumerate(pictures):
        row, column = n_rows - 1 - i // columns, i % columns
        y, x = GUTTER + row * (height + GUTTER), GUTTER + column * (width + GUTTER)
        sheet[y : y + height, x : x + width] = picture
    return sheet


def _write(sheet: np.ndarray, target: Path) -> None:
    image = bpy.data.images.new("Contact sheet", sheet.shape[1], sheet.shape[0])
    image.pixels.foreach_set(sheet.ravel())
    image.file_format = "PNG"
    temporary = target.with_suffix(".part.png")
    image.save(filepath=str(temporary))
    os.replace(temporary, target)
    bpy.data.images.remove(image)
