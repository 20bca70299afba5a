# SPDX-License-Identifier: GPL-3.0-or-later
"""What Poise keeps in the file of a take: on its empty, the file's labels, what they mean and where it all came from.

The trajectories lie here too, as bytes; `rig.takes.arrays` reads and writes them.
"""

from functools import lru_cache

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)

from .marker_names import candidates

NO_PREFIX = "NONE"
"""Subject of labels without a prefix."""


@lru_cache(maxsize=64)  # Blender keeps no texts of its own of an enumeration that a function gives
def _items(subjects: str) -> list[tuple[str, str, str]]:
    return [(name or NO_PREFIX, name or "Without prefix", "") for name in subjects.split("\n")]


def _subject_items(take: "PoiseTake", context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    return _items(take.subjects)


def _subject_changed(take: "PoiseTake", context: bpy.types.Context) -> None:
    if {label.subject or NO_PREFIX for label in take.labels if label.marker} == {take.subject}:
        return
    from ..vendor_core.errors import LayoutError
    from .properties import say
    from .rig.takes.labels import map_labels_of

    obj = take.id_data
    assert isinstance(obj, bpy.types.Object)
    try:
        map_labels_of(obj)
    except LayoutError as problem:
        say(context, str(problem))


def _is_armature(take: "PoiseTake", obj: bpy.types.Object) -> bool:
    return obj.type == "ARMATURE"


def _is_calibrated(take: "PoiseTake", obj: bpy.types.Object) -> bool:
    return obj.type == "EMPTY" and obj != take.id_data and bool(obj.poise_take.calibration)  # type: ignore[attr-defined]


class PoiseTakeLabel(bpy.types.PropertyGroup):
    """A trajectory of a take; its name is the label as found in the file."""

    marker: StringProperty(  # type: ignore[valid-type]
        name="Marker",
        description="The place on the body that this label means; empty where it means none",
        search=lambda self, context, text: candidates(),
        options=set(),
    )
    subject: StringProperty(name="Subject", description="The prefix of the label", options=set())  # type: ignore[valid-type]
    residual: FloatProperty(  # type: ignore[valid-type]
        name="Residual",
        description="Median distance from the marker's place on the solved body, mm; negative where nothing is solved",
        default=-1.0, options=set(),
    )  # fmt: skip
    placed: BoolProperty(name="Placed", description="Whether its place on the skin was given by hand", options=set())  # type: ignore[valid-type]
    vertices: IntVectorProperty(name="Vertices", size=3, options=set())  # type: ignore[valid-type]  # of the body's triangle
    barycentric: FloatVectorProperty(name="Barycentric", size=3, options=set())  # type: ignore[valid-type]
    height: FloatProperty(name="Height", description="From the skin, metres", options=set())  # type: ignore[valid-type]


class PoiseTake(bpy.types.PropertyGroup):
    """A take of marker trajectories; of no object but a take's has this a `version`."""

    version: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]  # another one whenever the points are others
    points: StringProperty(subtype="BYTE_STRING", options={"HIDDEN"})  # type: ignore[valid-type]
    residual_version: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]  # "" where nothing is solved
    residuals: StringProperty(subtype="BYTE_STRING", options={"HIDDEN"})  # type: ignore[valid-type]

    source: StringProperty(name="File", description="Where the take was imported from", options=set())  # type: ignore[valid-type]
    frames: IntProperty(name="Frames", description="Of the take", options=set())  # type: ignore[valid-type]
    rate: FloatProperty(name="Rate", description="Frames a second of the take", options=set())  # type: ignore[valid-type]
    start: IntProperty(  # type: ignore[valid-type]
        name="Start Frame", description="Frame of the scene at which the take begins", default=1, options=set()
    )
    unit: StringProperty(name="Unit", description="Of length, as found in the file", options=set())  # type: ignore[valid-type]
    up: StringProperty(name="Up", description="Axis of the file that points up", options=set())  # type: ignore[valid-type]
    gaps: FloatProperty(name="Gaps", description="Share of the markers that is not seen", options=set())  # type: ignore[valid-type]
    notes: StringProperty(name="Notes", description="What was guessed, a line each", options=set())  # type: ignore[valid-type]

    labels: CollectionProperty(type=PoiseTakeLabel)  # type: ignore[valid-type]  # in the order of the points
    active_label: IntProperty(name="Label", options=set())  # type: ignore[valid-type]
    layout: StringProperty(name="Layout", description="The set of markers that the labels belong to", options=set())  # type: ignore[valid-type]
    confidence: FloatProperty(name="Confidence", description="Share of the layout's markers found", options=set())  # type: ignore[valid-type]
    subjects: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]  # prefixes found, a line each
    subject: EnumProperty(  # type: ignore[valid-type]
        name="Subject", description="Whose markers are solved: the prefix of their labels", items=_subject_items,
        update=_subject_changed, options=set(),
    )  # fmt: skip

    body: PointerProperty(  # type: ignore[valid-type]
        name="Body", description="The body that the take was solved onto", type=bpy.types.Object, poll=_is_armature
    )
    rig: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]  # the body's name, in files that lack `body`
    residual_mm: FloatProperty(  # type: ignore[valid-type]
        name="Residual",
        description="How far the markers are from their places on the body at this frame, mm; keyed by each solve",
    )
    attached: StringProperty(subtype="BYTE_STRING", options={"HIDDEN"})  # type: ignore[valid-type]  # of `rig.takes.attached`
    solve: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]  # another at each; its action has it, too
    solved_at: FloatVectorProperty(size=2, options={"HIDDEN"})  # type: ignore[valid-type]  # `rig.takes.scene.timing`, then
    rig_in_take: FloatVectorProperty(size=16, options={"HIDDEN"})  # type: ignore[valid-type]  # when it was solved
    calibration: StringProperty(  # type: ignore[valid-type]
        name="Calibration", description="Shape of the person and places of the markers, JSON", options={"HIDDEN"}
    )
    calibrate: EnumProperty(  # type: ignore[valid-type]
        name="Calibration",
        description="Where the shape of the person and the places of the markers on the body come from",
        items=(
            ("ESTIMATE", "Estimate", "From this take"),
            ("STORED", "Keep", "As this take was solved last, or as loaded from a file"),
            ("TAKE", "From Take", "As another take of the same person was solved, such as a static trial"),
        ),
        options=set(),
    )
    calibrated_take: PointerProperty(  # type: ignore[valid-type]
        name="Take", description="A solved take of the same person", type=bpy.types.Object, poll=_is_calibrated
    )


_CLASSES = (PoiseTakeLabel, PoiseTake)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()
    bpy.types.Object.poise_take = PointerProperty(type=PoiseTake)


def unregister() -> None:
    del bpy.types.Object.poise_take
    _unregister_classes()
