# SPDX-License-Identifier: Apache-2.0
"""What a C3D file says about its points in words: labels, computed points, the vertical axis, events."""

import re
from collections import Counter

import numpy as np

from ..errors import C3DError
from .c3d_parameters import Parameters

_OUTPUT_GROUPS = ("ANGLES", "SCALARS", "FORCES", "MOMENTS", "POWERS", "REACTIONS", "MODELED_MARKERS", "BONES")
_OUTPUT_NAME = re.compile(r".+(Angles?|Force|Moment|Power|GRF)|CentreOfMass(Floor)?")
_BONE_ENDINGS = "OALP"  # Vicon writes a bone's axes as four points: origin, anterior, lateral, proximal


def labels_and_names(parameters: Parameters, n_points: int) -> tuple[tuple[str, ...], list[str]]:
    """Unique labels for all points, and the names as found ("" where the file gives none)."""
    names = parameters.continued_strings("POINT", "LABELS")[:n_points]
    names += [""] * (n_points - len(names))
    return unique_labels(names), names


def unique_labels(names: list[str]) -> tuple[str, ...]:
    """A label for each point: the second LABEL is LABEL#2, a point without name *k."""
    taken: Counter[str] = Counter()
    labels: list[str] = []
    used = set(names)
    for index, name in enumerate(names):
        name = name or f"*{index}"
        label = name
        while taken[name] and label in used:
            taken[name] += 1
            label = f"{name}#{taken[name]}"
        taken[name] = max(taken[name], 1)
        used.add(label)
        labels.append(label)
    return tuple(labels)


def model_outputs(parameters: Parameters, names: list[str]) -> set[str]:
    """Names of computed points: those in the groups that the file declares, and those known by their names alone."""
    declared = parameters.continued_strings("POINT", "TYPE_GROUPS")
    groups = {group.upper() for group in declared if group.upper() not in ("", "MARKERS", "LABELS", "DESCRIPTIONS")}
    listed = {
        name.rpartition(":")[2]
        for group in groups.union(_OUTPUT_GROUPS)
        for name in parameters.continued_strings("POINT", group)
    } - {""}
    bare = [name.rpartition(":")[2] for name in names]
    known = set(bare)

    def is_bone(name: str) -> bool:
        return name.endswith(tuple(_BONE_ENDINGS)) and all(name[:-1] + ending in known for ending in _BONE_ENDINGS)

    return {
        name
        for name, short in zip(names, bare, strict=True)
        if short in listed or _OUTPUT_NAME.fullmatch(short) or is_bone(short)
    }


def up_axis(parameters: Parameters) -> str:
    """The axis that the file shows upwards. Its sign is ignored: Qualisys writes -Z for takes with Z up."""
    shown = parameters.strings("POINT", "Y_SCREEN") or [""]
    axis = shown[0].upper().lstrip("+-")
    return axis if axis in ("X", "Y", "Z") else "Z"


def events(parameters: Parameters) -> tuple[tuple[float, str], ...]:
    """Events of the EVENT group; a damaged group is as good as none, the take does not depend on it."""
    try:
        times = parameters.numbers("EVENT", "TIMES")
        labels = parameters.continued_strings("EVENT", "LABELS")
        contexts = parameters.continued_strings("EVENT", "CONTEXTS")
    except C3DError:
        return ()
    if times is None or times.size % 2 or not np.isfinite(times).all():
        return ()
    seconds = times.reshape(-1, 2) @ (60.0, 1.0)
    contexts += [""] * (len(labels) - len(contexts))
    named = [" ".join(filter(None, pair)) for pair in zip(contexts, labels, strict=False)]
    return tuple(zip((float(s) for s in seconds), named, strict=False))
