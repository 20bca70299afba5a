# SPDX-License-Identifier: Apache-2.0
"""Where markers sit on a body, in words of anatomy, so that one table serves every body model.

A row starts at a point on the line between two joints of the rest pose and sends a ray in a rest-frame direction to
the skin; the marker's centre floats a little above. The table holds one side; the other is its mirror image.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..skeleton import mirrored_name

_TABLE = Path(__file__).parent / "assets" / "placement.csv"
_MM = 0.001
_SIDES = {"L": "R", "R": "L"}


@dataclass(frozen=True)
class MarkerPlacement:
    """One marker's place on the body in its rest pose (Y up, facing +Z, left = +X).

    Attributes:
        label: canonical marker label.
        from_joint, to_joint: SMPL-X joint names; the ray starts at (1 - t) from_joint + t to_joint.
        t: fraction of the way, below 0 or above 1 beyond the joints.
        direction: (x, y, z) of the ray, not normalised.
        height: metres from the skin to the marker's centre.
        sigma: (x, y, z) metres, how far real markers stray from here.
        bone: joint that carries the marker rigidly; None = the skin's own weights.
    """

    label: str
    from_joint: str
    to_joint: str
    t: float
    direction: tuple[float, float, float]
    height: float
    sigma: tuple[float, float, float]
    bone: str | None

    def mirrored(self) -> "MarkerPlacement":
        """The same marker on the other side of the body."""
        x, y, z = self.direction
        return MarkerPlacement(
            label=mirrored_label(self.label),
            from_joint=mirrored_name(self.from_joint),
            to_joint=mirrored_name(self.to_joint),
            t=self.t,
            direction=(-x, y, z),
            height=self.height,
            sigma=self.sigma,
            bone=mirrored_name(self.bone) if self.bone else None,
        )


def mirrored_label(label: str) -> str:
    """The label on the other side: LSHO -> RSHO; C7, T10, CLAV and STRN lie in the middle."""
    for side, other in (("LEFT", "RIGHT"), ("RIGHT", "LEFT")):
        if label.startswith(side):
            return other + label[len(side) :]
    return _SIDES[label[0]] + label[1:] if label[0] in _SIDES else label


@cache
def placement_table() -> dict[str, MarkerPlacement]:
    """All markers that we can place, by canonical label: the rows of assets/placement.csv and their mirror images."""
    placements = [_placement(row) for row in csv.DictReader(_TABLE.read_text("utf-8").splitlines())]
    table = {placement.label: placement for placement in placements}
    for placement in placements:
        table.setdefault(mirrored_label(placement.label), placement.mirrored())
    return table


def _placement(row: dict[str, str]) -> MarkerPlacement:
    return MarkerPlacement(
        label=row["label"],
        from_joint=row["from_joint"],
        to_joint=row["to_joint"],
        t=float(row["t"]),
        direction=(float(row["dx"]), float(row["dy"]), float(row["dz"])),
        height=float(row["h_mm"]) * _MM,
        sigma=(float(row["sx_mm"]) * _MM, float(row["sy_mm"]) * _MM, float(row["sz_mm"]) * _MM),
        bone=row["bone"] or None,
    )
