# SPDX-License-Identifier: Apache-2.0
"""The guide's pictures, from those that the window tests took: `.venv/core/bin/python -m tools.pictures` after
`python build.py test --gui`. What it writes is looked at, and committed.
"""

from PIL import Image

from . import ROOT

_TAKEN, _KEPT = ROOT / "out" / "gui", ROOT / "docs" / "pictures"
_COLOURS = 256
_VIEW = (0, 28, 950, 978)  # the 3D View, its sidebar and the timeline, in a window of the window tests' size
_SIDEBAR = (667, 75, 950, 900)
_PICTURES = {  # name in the guide: name there, and what is shown of it
    "body": ("tour_body", _VIEW),
    "pose": ("tour_pose", _VIEW),
    "live": ("tour_live", _VIEW),
    "inbetweens": ("tour_inbetweens", _VIEW),
    "take": ("tour_take", _VIEW),
    "residuals": ("take_solved", _SIDEBAR),
    "variations": ("variation_picked", _VIEW),
    "heat_map": ("heat_map_panel", _VIEW),
    "camera": ("camera_solved", _VIEW),
    "preferences": ("preferences", _VIEW),
}


def main() -> None:
    _KEPT.mkdir(exist_ok=True)
    for name, (taken, part) in _PICTURES.items():
        if not (_TAKEN / f"{taken}.png").is_file():
            print(f"{taken}.png is not there: {name}.png stays as it is")
            continue
        with Image.open(_TAKEN / f"{taken}.png") as picture:
            shown = picture.convert("RGB").crop(part)
        # the few coloured pixels count as much as the many grey ones
        small = shown.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
        small.save(_KEPT / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
