# SPDX-License-Identifier: GPL-3.0-or-later
"""The heat map: where each body of the scene is out of place, kept up to date while the scene's switch is on.

Blender's handlers say when a pose may have changed; a body whose bones are where they were costs a few microseconds.
What is drawn, and how, is `heat_map_draw`'s. Nothing of it is data of the file but the switch.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent
from bpy.props import BoolProperty

from ...vendor_core.errors import PoiseError
from .. import pose_check
from ..operators.common import is_rig, redraw_sidebars
from ..prior_choice import SHIPPED, critic_named, critic_of
from . import heat_map_draw

if TYPE_CHECKING:
    import numpy as np

    from ...vendor_core.prior.plausibility import Plausibility
    from ..rig.heat import Heat, Skin


@dataclass(frozen=True)
class _Body:
    """One body as it was last looked at."""

    mark: int  # of its pose
    meshes: tuple[str, ...]
    blamed: "np.ndarray"  # (21,)
    heats: "tuple[Heat, ...]"


_bodies: dict[int, _Body] = {}  # by the armature object's session_uid
_skins: "dict[int, Skin]" = {}  # by the mesh object's
_critics: "dict[str, Plausibility]" = {}  # by the prior; finding its file at each change would take as long as asking


def refresh(depsgraph: bpy.types.Depsgraph) -> None:
    """Look at all bodies of an evaluated scene again, where they have changed."""
    layer, scene = depsgraph.view_layer, depsgraph.scene
    assert layer is not None
    meshes = _meshes_by_rig(layer)
    updated = {u.id.name for u in depsgraph.updates if isinstance(u.id, bpy.types.Object) and u.is_updated_geometry}
    there, checked = set(), False
    for rig in layer.objects:
        if not is_rig(rig) or rig.mode == "EDIT" or rig.pose is None:
            continue
        there.add(rig.session_uid)
        before, own = _bodies.get(rig.session_uid), meshes.get(rig, [])
        names = tuple(mesh.name for mesh in own)
        mark = pose_check.pose_mark(rig)
        if before is None or before.mark != mark:
            blamed, checked = _checked(rig, scene), True
        elif before.meshes != names or not updated.isdisjoint(names):
            blamed = before.blamed
        else:
            continue
        _bodies[rig.session_uid] = _Body(mark, names, blamed, _heats(rig, own, blamed, depsgraph))
    for gone in _bodies.keys() - there:
        del _bodies[gone]
    heat_map_draw.show([heat for body in _bodies.values() for heat in body.heats])
    if checked:
        redraw_sidebars(bpy.context)


def forget() -> None:
    """Stop drawing, and forget all bodies."""
    heat_map_draw.stop()
    _bodies.clear()
    _skins.clear()
    _critics.clear()


def judge_anew(context: bpy.types.Context) -> None:
    """Look at all bodies again: another prior was chosen."""
    forget()
    _switched(None, context)


def _checked(rig: bpy.types.Object, scene: Any) -> "np.ndarray":
    """How much each joint of a body is to blame (21,); the panel gets the number."""
    from ..rig.heat import body_turns
    from ..rig.posing.plausible import judged_pose

    check, blamed = judged_pose(rig, scene.frame_current_final, _critic_of(scene), body_turns(rig))
    pose_check.note(rig, check)
    return blamed


def _critic_of(scene: Any) -> "Plausibility":
    """The critic that the scene's tools follow; Poise's own where its file cannot be read, which the tools will say."""
    key = f"{scene.poise_prior} {scene.poise_prior_file}"
    if key not in _critics:
        try:
            _critics[key] = critic_of(scene)
        except PoiseError:
            _critics[key] = critic_named(SHIPPED["VAE"])
    return _critics[key]


def _heats(
    rig: bpy.types.Object, meshes: list[bpy.types.Object], blamed: "np.ndarray", depsgraph: bpy.types.Depsgraph
) -> "tuple[Heat, ...]":
    from ..rig.heat import heat_of_bones, heat_of_skin, read_skin

    if not blamed.any():
        return ()
    found = []
    for obj in meshes:
        mesh: Any = obj.evaluated_get(depsgraph).data
        skin = _skins.get(obj.session_uid)
        if skin is None or not skin.fits(obj, mesh):
            skin = _skins[obj.session_uid] = read_skin(obj, mesh)
        found.append(heat_of_skin(obj.name, mesh, skin, blamed))
    if not meshes:
        found.append(heat_of_bones(rig, blamed))
    return tuple(heat for heat in found if heat is not None)


def _meshes_by_rig(layer: bpy.types.ViewLayer) -> dict[bpy.types.Object, list[bpy.types.Object]]:
    """The visible meshes that each armature object deforms."""
    found: dict[bpy.types.Object, list[bpy.types.Object]] = {}
    for obj in layer.objects:
        if obj.type == "MESH" and obj.mode == "OBJECT" and obj.visible_get(view_layer=layer):
            for modifier in obj.modifiers:
                if modifier.type == "ARMATURE" and modifier.object is not None:
                    found.setdefault(modifier.object, []).append(obj)
    return found


@persistent
def _scene_changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph | None = None) -> None:
    if not scene.poise_heat_map:
        if not any(other.poise_heat_map for other in bpy.data.scenes):
            forget()
    elif depsgraph is not None and depsgraph.mode == "VIEWPORT":
        refresh(depsgraph)


@persistent
def _edited(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Forget the skins of meshes that were painted or edited. At playback only shapes change: it is not asked then."""
    if _skins and (meshes := {u.id.original for u in depsgraph.updates if isinstance(u.id, bpy.types.Mesh)}):
        for obj in depsgraph.scene.objects:
            if obj.data in meshes:
                _skins.pop(obj.session_uid, None)


@persistent
def _undone(*_scene: object) -> None:
    _skins.clear()


@persistent
def _loading(*_path: object) -> None:
    forget()


@persistent
def _loaded(*_path: object) -> None:
    _switched(None, bpy.context)


def _switched(_scene: "bpy.types.Scene | None", context: bpy.types.Context) -> None:
    scene = context.scene
    if scene is not None:
        _scene_changed(scene, context.evaluated_depsgraph_get() if scene.poise_heat_map else None)


def _overlay_menu(self: bpy.types.Panel, context: bpy.types.Context) -> None:
    self.layout.prop(context.scene, "poise_heat_map")


_HANDLERS = (
    ("depsgraph_update_post", _edited), ("undo_post", _undone), ("redo_post", _undone),  # before the bodies are seen
    ("depsgraph_update_post", _scene_changed), ("frame_change_post", _scene_changed),
    ("undo_post", _scene_changed), ("redo_post", _scene_changed), ("load_pre", _loading), ("load_post", _loaded),
)  # fmt: skip


def register() -> None:
    bpy.types.Scene.poise_heat_map = BoolProperty(
        name="Plausibility Heat Map",
        description="Colour the parts of every body that make its pose implausible, in the 3D View",
        update=_switched,
    )
    bpy.types.VIEW3D_PT_overlay.append(_overlay_menu)
    if not bpy.app.background:  # nothing is seen, so nothing is looked at
        for name, handler in _HANDLERS:
            getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    for name, handler in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
    forget()
    bpy.types.VIEW3D_PT_overlay.remove(_overlay_menu)
    del bpy.types.Scene.poise_heat_map
