# SPDX-License-Identifier: Apache-2.0
"""The studio around the bodies: ground, light, camera, and small spheres where markers and targets are."""

from collections.abc import Sequence
from math import radians, tan

import bpy
import numpy as np
from mathutils import Vector

AZIMUTH, ELEVATION = radians(28), radians(9)  # of the camera, from straight in front of the bodies
LENS = 70.0  # mm
_BACKDROP = (0.30, 0.34, 0.39, 1.0)
_FLOOR = (0.22, 0.23, 0.24, 1.0)
_FOG = (9.0, 26.0)  # metres from the camera over which the floor fades into the backdrop


def build() -> None:
    """Ground, world and three lights, which serve the bodies wherever they stand."""
    collection = bpy.data.collections.new("Studio")
    bpy.context.scene.collection.children.link(collection)
    mesh = bpy.data.meshes.new("Ground")
    corners = [(-60, -60, 0), (60, -60, 0), (60, 60, 0), (-60, 60, 0)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    mesh.materials.append(_floor_material())
    collection.objects.link(bpy.data.objects.new("Ground", mesh))
    for name, strength, angle, color, azimuth, elevation in (
        ("Key", 4.6, 9, (1.0, 0.95, 0.88), -38, 48),
        ("Fill", 0.7, 60, (0.80, 0.88, 1.0), 75, 25),
        ("Rim", 2.0, 8, (0.95, 0.97, 1.0), 150, 35),
    ):
        light = bpy.data.lights.new(name, "SUN")
        light.energy, light.angle, light.color = strength, radians(angle), color
        obj = bpy.data.objects.new(name, light)
        obj.rotation_euler = (
            _direction(AZIMUTH + radians(azimuth), radians(elevation)).to_track_quat("Z", "Y").to_euler()
        )
        obj.location = 8 * _direction(AZIMUTH + radians(azimuth), radians(elevation))
        collection.objects.link(obj)
    _set_world()
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = LENS
    collection.objects.link(camera)
    bpy.context.scene.camera = camera


def _direction(azimuth: float, elevation: float) -> Vector:
    """From the origin outwards; azimuth 0 is straight in front of a body, positive to the body's left."""
    return Vector(
        (np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation))
    ).normalized()


def _floor_material() -> bpy.types.Material:
    """Matt floor with faint lines every metre, that fades into the backdrop with its distance from the camera."""
    material = bpy.data.materials.new("Ground")
    material.use_nodes = True
    material.diffuse_color = _FLOOR
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = 0.8
    brick = nodes.new("ShaderNodeTexBrick")
    brick.offset, brick.squash = 0.0, 1.0
    for name, value in (("Scale", 1.0), ("Mortar Size", 0.006), ("Brick Width", 1.0), ("Row Height", 1.0)):
        brick.inputs[name].default_value = value
    for name, value in (("Color1", _FLOOR), ("Color2", _FLOOR), ("Mortar", (0.13, 0.14, 0.15, 1))):
        brick.inputs[name].default_value = value
    place = nodes.new("ShaderNodeNewGeometry")
    links.new(place.outputs["Position"], brick.inputs["Vector"])
    links.new(brick.outputs["Color"], shader.inputs["Base Color"])
    depth, fade = nodes.new("ShaderNodeCameraData"), nodes.new("ShaderNodeMapRange")
    fade.interpolation_type = "SMOOTHSTEP"
    fade.inputs["From Min"].default_value, fade.inputs["From Max"].default_value = _FOG
    links.new(depth.outputs["View Z Depth"], fade.inputs["Value"])
    fog, mix = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeMixShader")
    fog.inputs["Color"].default_value = _BACKDROP
    links.new(fade.outputs["Result"], mix.inputs["Fac"])
    links.new(shader.outputs[0], mix.inputs[1])
    links.new(fog.outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], nodes["Material Output"].inputs["Surface"])
    return material


def _set_world() -> None:
    """A plain backdrop for the camera, soft light from all around for everything else."""
    world = bpy.data.worlds.new("Studio")
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    seen = nodes["Background"]
    seen.inputs["Color"].default_value = _BACKDROP
    light, path, mix = (
        nodes.new("ShaderNodeBackground"),
        nodes.new("ShaderNodeLightPath"),
        nodes.new("ShaderNodeMixShader"),
    )
    light.inputs["Color"].default_value, light.inputs["Strength"].default_value = (0.75, 0.82, 0.95, 1.0), 0.35
    links.new(path.outputs["Is Camera Ray"], mix.inputs["Fac"])
    links.new(light.outputs[0], mix.inputs[1])
    links.new(seen.outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], nodes["World Output"].inputs["Surface"])
    bpy.context.scene.world = world


def add_spheres(
    empties: Sequence[bpy.types.Object], radius: float, color: tuple[float, float, float], name: str
) -> None:
    """A small glossy sphere on each empty, so that a render shows it."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.diffuse_color = (*color, 1.0)
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*color, 1.0)
    shader.inputs["Emission Color"].default_value = (*color, 1.0)
    shader.inputs["Emission Strength"].default_value = 0.35
    shader.inputs["Roughness"].default_value = 0.35
    bpy.ops.mesh.primitive_uv_sphere_add(segments=24, ring_count=12, radius=radius)
    first = bpy.context.object
    first.data.materials.append(material)
    first.data.polygons.foreach_set("use_smooth", np.ones(len(first.data.polygons), bool))
    for empty in empties:
        sphere = bpy.data.objects.new(f"{empty.name} {name}", first.data)
        sphere.parent = empty
        for collection in empty.users_collection:
            collection.objects.link(sphere)
    bpy.data.objects.remove(first)


def skin_of(body: bpy.types.Object) -> np.ndarray:
    """Vertices (V, 3) of a body as it is posed now, world, metres."""
    mesh_object = next(child for child in body.children if child.type == "MESH")
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    at = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", at.ravel())
    evaluated.to_mesh_clear()
    world = np.array(evaluated.matrix_world)
    return at @ world[:3, :3].T + world[:3, 3]


def distance_for(points: np.ndarray, aspect: float) -> float:
    """Metres from the middle of points (N, 3) at which the camera sees them all, with some air around."""
    x, y, z = _in_camera(points)
    half_y = tan(bpy.context.scene.camera.data.angle / 2)  # the longer side of an upright tile
    half_x = half_y * aspect
    return 1.12 * float(max(np.max(np.abs(x) / half_x + z), np.max(np.abs(y) / half_y + z)))


def aim(points: np.ndarray, distance: float) -> None:
    """Place the camera at a distance from the middle of points (N, 3), looking at it."""
    camera = bpy.context.scene.camera
    middle = Vector(_middle(points)) - Vector((0, 0, 0.03 * distance / 4))  # room for the label below
    away = _direction(AZIMUTH, ELEVATION)
    camera.location = middle + distance * away
    camera.rotation_euler = away.to_track_quat("Z", "Y").to_euler()


def _in_camera(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Right, up and towards the camera, from the middle of the points."""
    axes = np.array(_direction(AZIMUTH, ELEVATION).to_track_quat("Z", "Y").to_matrix())
    x, y, z = ((points - _middle(points)) @ axes).T
    return x, y, z


def _middle(points: np.ndarray) -> np.ndarray:
    """The point that is in the middle of what the camera sees of the points."""
    axes = np.array(_direction(AZIMUTH, ELEVATION).to_track_quat("Z", "Y").to_matrix())
    seen = points @ axes
    return axes @ (0.5 * (seen.min(0) + seen.max(0)))
