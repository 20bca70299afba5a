# SPDX-License-Identifier: GPL-3.0-or-later
"""Markers in an artist's words. Panels ask for them, so nothing heavy is imported here."""

from collections.abc import Iterable
from functools import cache

_MIDDLE = {
    "C7": "base of the neck",
    "T2": "upper spine",
    "T8": "spine between the shoulder blades, lower",
    "T10": "middle of the back",
    "CLAV": "top of the breastbone",
    "STRN": "bottom of the breastbone",
    "SACR": "back of the pelvis, middle",
    "HEDT": "top of the head",
    "HEDF": "front of the head",
    "HEDB": "back of the head",
}
_SIDED = {
    "FHD": "front of the head",
    "BHD": "back of the head",
    "BAK": "shoulder blade",
    "SHO": "top of the shoulder",
    "SHB": "back of the shoulder",
    "UPA": "upper arm",
    "ELB": "elbow, outside",
    "ELM": "elbow, inside",
    "FRM": "forearm",
    "WRI": "wrist, middle",
    "WRA": "wrist, thumb side",
    "WRB": "wrist, little finger side",
    "FIN": "hand, knuckle of the middle finger",
    "HM5": "hand, knuckle of the little finger",
    "FWT": "front of the pelvis",
    "BWT": "back of the pelvis",
    "TRO": "hip, outside",
    "THI": "thigh",
    "KNE": "knee, outside",
    "KNM": "knee, inside",
    "TTC": "below the kneecap",
    "FAX": "shin, below the knee, outside",
    "SHN": "shin",
    "ANK": "ankle, outside",
    "ANM": "ankle, inside",
    "HEE": "heel",
    "TOE": "foot, above the second toe",
    "MT1": "foot, ball of the big toe",
    "MT5": "foot, ball of the little toe",
    "TIP": "tip of the foot",
    "THM3": "thumb, middle",
    "THM6": "thumb, tip",
    "IDX1": "index finger, nearest the knuckle",
    "IDX3": "index finger, middle",
    "IDX6": "index finger, tip",
    "MID1": "middle finger, nearest the knuckle",
    "MID3": "middle finger, middle",
    "MID6": "middle finger, tip",
    "RNG1": "ring finger, nearest the knuckle",
    "RNG3": "ring finger, middle",
    "RNG6": "ring finger, tip",
    "PNK1": "little finger, nearest the knuckle",
    "PNK3": "little finger, middle",
    "PNK6": "little finger, tip",
}


@cache
def marker_names() -> dict[str, str]:
    """An artist's words for each canonical marker that Poise can place."""
    from ..vendor_core.mocap.placement_table import placement_table

    return {marker: _words(marker) for marker in placement_table()}


@cache
def candidates() -> Iterable[tuple[str, str]]:
    """Markers and their words, for a search field."""
    return tuple(marker_names().items())


def _words(marker: str) -> str:
    if marker in _MIDDLE:
        return _MIDDLE[marker]
    words = _SIDED.get(marker[1:], "")
    side = {"L": "left", "R": "right"}.get(marker[0], "")
    return f"{side} {words}" if words and side else ""
