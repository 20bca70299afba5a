# SPDX-License-Identifier: Apache-2.0
"""A take and the body that it was solved onto know each other, whatever they are called."""

import bpy
import pytest
from support import addon, window
from test_mocap import known  # noqa: F401
from test_take_mend import rig_of, solved, solved_file  # noqa: F401
from test_takes import make


def lookup(name: str):
    return getattr(addon("take_lookup"), name)


def second_take(name: str = "second") -> bpy.types.Object:
    other = bpy.data.objects.new(name, None)
    other.poise_take.version = "of other points"
    bpy.context.collection.objects.link(other)
    bpy.context.view_layer.update()
    return other


def meant_by(obj: bpy.types.Object) -> bpy.types.Object | None:
    """The take that is meant while this object alone is chosen."""
    for other in bpy.context.selected_objects:
        other.select_set(False)
    bpy.context.view_layer.objects.active = obj
    obj.select_set(True)
    return lookup("find_take")(bpy.context)


def test_a_body_named_anew_keeps_its_take(solved) -> None:  # noqa: F811
    rig, was = rig_of(solved), rig_of(solved).name
    rig.name = "Hero"
    bpy.ops.poise.add_body()
    bpy.context.object.name = was  # another body has the name now
    assert lookup("solved_rig")(bpy.context, solved) == rig
    assert lookup("rig_of_take")(bpy.context, solved) == rig
    assert bpy.ops.poise.resolve_range.poll()
    second_take()
    assert meant_by(rig) == solved and meant_by(bpy.data.objects[was]) is None
    meant_by(rig)
    assert bpy.ops.poise.resolve_range(first=13, last=17) == {"FINISHED"}


def test_a_take_named_anew_is_not_taken_for_one_that_has_its_name_now(solved) -> None:  # noqa: F811
    rig, was = rig_of(solved), solved.name
    solved.name = "best"
    second_take(was)
    assert meant_by(rig) == solved


def test_a_copy_of_take_and_body_is_a_pair_of_its_own(solved) -> None:  # noqa: F811
    rig = rig_of(solved)
    meant_by(rig)
    solved.select_set(True)
    bpy.ops.object.duplicate()
    copies = [obj for obj in bpy.context.selected_objects if obj not in (rig, solved)]
    copy = next(obj for obj in copies if obj.type == "ARMATURE")
    take = next(obj for obj in copies if obj.type == "EMPTY")
    assert take.poise_take.body == copy and solved.poise_take.body == rig
    assert meant_by(copy) == take and meant_by(rig) == solved


def test_undo_carries_the_pair(solved) -> None:  # noqa: F811
    names = solved.name, rig_of(solved).name
    with window():
        bpy.ops.ed.undo_push(message="solved")
        rig_of(solved).name = "Hero"
        bpy.ops.ed.undo_push(message="named anew")
        bpy.ops.object.select_all(action="DESELECT")
        rig_of(bpy.data.objects[names[0]]).select_set(True)
        bpy.ops.object.delete()
        bpy.ops.ed.undo_push(message="deleted")
        take = bpy.data.objects[names[0]]
        assert lookup("solved_rig")(bpy.context, take) is None
        for name in ("Hero", names[1]):
            bpy.ops.ed.undo()
            take = bpy.data.objects[names[0]]
            rig = lookup("solved_rig")(bpy.context, take)
            assert rig is not None and rig.name == name and rig == take.poise_take.body


def test_a_deleted_body_is_said_to_be_gone(solved) -> None:  # noqa: F811
    meant_by(rig_of(solved))
    bpy.ops.object.delete()
    meant_by(solved)
    with pytest.raises(RuntimeError, match="body of the take is gone: solve the whole take again"):
        bpy.ops.poise.resolve_range(first=13, last=17)


def test_files_that_name_the_body_still_work(solved) -> None:  # noqa: F811
    rig = rig_of(solved)
    solved.poise_take.rig, solved.poise_take.body = rig.name, None
    assert lookup("rig_of_take")(bpy.context, solved) == rig and bpy.ops.poise.resolve_range.poll()


def test_a_linked_take_of_the_same_name_is_another(scene, tmp_path) -> None:
    make(tmp_path)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    own = make(tmp_path, seed=9)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, linked):
        linked.objects = [own.name]
    other = linked.objects[0]
    bpy.context.collection.objects.link(other)
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    assert other != own and other.name == own.name
    for _ in range(2):  # found, then remembered
        assert set(lookup("takes_of")(scene)) == {own, other}
    bpy.data.objects.remove(own)
    assert lookup("takes_of")(scene) == [other]
