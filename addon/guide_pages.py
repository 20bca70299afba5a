# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide that comes with the add-on, page and section: it opens without a network."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs"
SECTIONS = {
    "a-body": ("POISE_PT_body", "POISE_PT_shape", "poise.add_body", "poise.add_body_from_file"),
    "a-pose": (
        "POISE_PT_pose", "POISE_PT_sliders", "POISE_PT_stored_poses", "POISE_PT_variations", "poise.generate_pose",
        "poise.vary_pose", "poise.mirror_pose", "poise.store_pose", "poise.apply_pose", "poise.remove_pose",
    ),
    "how-plausible-a-pose-is": ("POISE_PT_plausible", "poise.check_pose", "poise.make_plausible", "poise.denoise"),
    "in-betweens": ("POISE_PT_interpolate", "poise.interpolate"),
    "a-pose-from-targets": ("POISE_PT_solve", "poise.add_targets", "poise.solve_targets"),
    "pose-live": ("POISE_PT_live", "poise.pose_live", "poise.pin_targets", "poise.snap_targets", "poise.end_live"),
    "a-motion-from-a-c3d-or-trc-take": ("POISE_PT_mocap", "poise.import_c3d"),
}  # fmt: skip
"""The guide's sections by their anchors, and whose help each is: panels and operators. Others have the whole guide."""

_SECTION_OF = {name: section for section, names in SECTIONS.items() for name in names}


def section_of(name: str) -> str:
    """The section that helps with a panel or an operator; empty for the guide's beginning."""
    return _SECTION_OF.get(name, "")


def address(section: str = "") -> str:
    """What a browser opens: the guide at a section. Where the add-on runs from its sources, the page is plain text."""
    page = FOLDER / "guide.html"
    page = page if page.is_file() else page.with_suffix(".md")
    return page.as_uri() + (f"#{section}" if section else "")


def manual_map() -> tuple[str, tuple[tuple[str, str], ...]]:
    """For Blender's F1 over a button: a prefix, and what follows it for each operator."""
    exact = tuple((f"bpy.ops.{name}", f"#{section}") for name, section in _SECTION_OF.items() if name[:6] == "poise.")
    return address(), (*exact, ("bpy.ops.poise.*", ""), ("bpy.types.poise*", ""))
