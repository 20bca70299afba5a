# SPDX-License-Identifier: Apache-2.0
"""What may be wrong with a scene, for every operator: one clear line and an unchanged scene, or else it works."""

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import pytest
from support import addon, assert_unchanged, core, key_pose, snapshot

_NOT_OF_A_BODY = {
    "open_guide", "test_worker", "add_body", "add_body_from_file", "import_c3d", "solve_take", "map_labels",
    "clear_labels", "apply_label_preset", "save_label_preset", "remove_label_preset", "save_subject", "load_subject",
    "markers_to_empties",
}  # fmt: skip


def _operators() -> list[str]:
    """The artist's operators on a body that is there; the add-on is not yet enabled when tests are collected."""
    folder = Path(__file__).parents[2] / "addon" / "operators"
    text = "".join(path.read_text() for path in sorted(folder.glob("*.py")))
    found = []
    for part in text.split("class POISE_OT_")[1:]:
        name = part.split("(")[0]
        if "INTERNAL" not in part.split("def ")[0] and name not in _NOT_OF_A_BODY:
            found.append(name)
    return found


def _linked(rig: bpy.types.Object, tmp_path: Path) -> None:
    """The body comes from another file."""
    path, name = tmp_path / "library.blend", rig.name
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (there, here):
        here.objects = [o for o in there.objects if o == name or o.startswith("Target.")]
    for obj in here.objects:
        bpy.context.collection.objects.link(obj)
    _choose(bpy.data.objects[name])


def _elsewhere(rig: bpy.types.Object, tmp_path: Path) -> None:
    """The body is in another view layer only."""
    collection = bpy.data.collections.new("Elsewhere")
    bpy.context.scene.collection.children.link(collection)
    bpy.context.scene.view_layers.new("Other")
    for obj in list(bpy.data.objects):
        for old in obj.users_collection:
            old.objects.unlink(obj)
        collection.objects.link(obj)
    bpy.context.view_layer.layer_collection.children["Elsewhere"].exclude = True


def _uneven(rig: bpy.types.Object, tmp_path: Path) -> None:
    rig.scale = (1, 1, 2)


def _without_a_bone(rig: bpy.types.Object, tmp_path: Path) -> None:
    rig.data.bones["left_knee"].name = "something"


def _in_edit_mode(rig: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.object.mode_set(mode="EDIT")


def _in_centimetres(rig: bpy.types.Object, tmp_path: Path) -> None:
    bpy.context.scene.unit_settings.scale_length = 0.01


def _with_parent_and_constraint(rig: bpy.types.Object, tmp_path: Path) -> None:
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.collection.objects.link(parent)
    parent.location, parent.rotation_euler, parent.scale = (1, 2, 3), (0.3, 0.2, 1.0), (2, 2, 2)
    rig.parent = parent
    rig.constraints.new("COPY_LOCATION").target = parent
    rig.pose.bones["head"].constraints.new("LIMIT_ROTATION").use_limit_x = True


def _with_drivers(rig: bpy.types.Object, tmp_path: Path) -> None:
    rig.pose.bones["left_elbow"].driver_add("rotation_quaternion", 1).driver.expression = "0.2"


_REFUSED = {
    "linked": (_linked, "linked from another file"),
    "elsewhere": (_elsewhere, "Select a body"),
    "uneven": (_uneven, "scale"),
    "without a bone": (_without_a_bone, "left_knee"),
    "in edit mode": (_in_edit_mode, "Edit Mode"),
}
_WORKED_WITH = {
    "in centimetres": _in_centimetres,
    "with parent and constraint": _with_parent_and_constraint,
    "with drivers": _with_drivers,
}


@pytest.fixture
def rig(body: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """A body that every operator finds something to do with: keys, stored poses, selected targets."""
    for frame, seed in ((1, 3), (13, 4)):
        bpy.ops.poise.generate_pose(seed=seed)
        key_pose(body, frame)
        bpy.ops.poise.store_pose()
    bpy.ops.poise.add_targets(joints="EFFECTORS")
    _choose(body)
    yield body
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def _choose(rig: bpy.types.Object) -> None:
    for obj in bpy.context.view_layer.objects:
        obj.select_set(obj == rig or obj.type == "EMPTY")
    bpy.context.view_layer.objects.active = rig
    bpy.context.view_layer.update()


def refusal(name: str, **settings: object) -> str:
    """What an operator says that does not do it; empty where it does."""
    try:
        result = getattr(bpy.ops.poise, name)(**settings)
    except RuntimeError as problem:
        line = str(problem).strip()
        assert line and "\n" not in line and "Traceback" not in line and "context is incorrect" not in line, line
        return line
    assert result == {"FINISHED"}
    return ""


@pytest.mark.parametrize("fault", _REFUSED)
def test_what_cannot_be_is_one_line_and_leaves_the_body_alone(rig, tmp_path: Path, fault: str) -> None:
    spoil, words = _REFUSED[fault]
    spoil(rig, tmp_path)
    before, told, posing = snapshot(), {}, []
    for name in _operators():
        told[name] = refusal(name)
        if told[name]:
            assert_unchanged(before)
        after = snapshot()  # what works all the same is about targets and lists: it leaves the body alone
        if any(after.get(key) != value for key, value in before.items() if key.startswith(("pose", "rest", "keys"))):
            posing.append(name)
        before = after
    assert not posing, f"{posing} pose or key a rig that is {fault}"
    assert sum(words in line for line in told.values()) > len(told) / 2, told


@pytest.mark.parametrize("name", _operators())
@pytest.mark.parametrize("fault", _WORKED_WITH)
def test_what_is_unusual_is_worked_with_or_refused(rig, tmp_path: Path, fault: str, name: str) -> None:
    _WORKED_WITH[fault](rig, tmp_path)
    bpy.context.view_layer.update()
    before = snapshot()
    if refusal(name):
        assert_unchanged(before)


@pytest.mark.parametrize("name", ["generate_pose", "vary_pose", "key_variations"])
def test_a_missing_file_of_weights_is_named(rig, name: str) -> None:
    before = snapshot()
    assert "/nowhere/weights.npz" in refusal(name, prior="/nowhere/weights.npz")
    assert_unchanged(before)


def test_lost_weights_of_its_own_are_named_by_every_operator(rig) -> None:
    weights = Path(core("prior").__file__).parent / "weights"
    hidden = weights.with_name("hidden")
    before = snapshot()
    _forget_priors()
    weights.rename(hidden)
    try:
        told = {name: refusal(name) for name in ("generate_pose", "make_plausible", "interpolate", "solve_targets")}
        assert_unchanged(before)
    finally:
        hidden.rename(weights)
        _forget_priors()
    assert all(".npz" in line for line in told.values()), told


def _forget_priors() -> None:
    """Files that were read once are kept in memory."""
    for room in ("prior", "prior.plausibility", "prior.module", "prior.vae"):
        for value in list(vars(core(room)).values()):
            forget: Callable[[], None] | None = getattr(value, "cache_clear", None)
            if forget is not None:
                forget()


@pytest.mark.parametrize("path", ["/nowhere/python", "/bin/false"])
def test_a_wrong_interpreter_is_named_and_changes_nothing(rig, path: str) -> None:
    chosen = addon("preferences").preferences(bpy.context)
    before = snapshot()
    chosen.worker_python = path
    try:
        assert path in refusal("denoise") and "expected a Python" in refusal("denoise")
        assert path in refusal("test_worker")
        assert_unchanged(before)
    finally:
        chosen.worker_python = ""
    assert not refusal("denoise")


def test_a_take_that_is_not_there_is_named(rig) -> None:
    before = snapshot()
    assert "nowhere.c3d" in refusal("import_c3d", filepath="nowhere.c3d", target="ACTIVE")
    rig.scale.x = 3
    bpy.context.view_layer.update()
    before = snapshot()
    assert "nowhere.c3d" in refusal("import_c3d", filepath="nowhere.c3d", target="ACTIVE")
    assert_unchanged(before)
