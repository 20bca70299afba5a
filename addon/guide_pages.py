# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide that comes with the add-on, page and section: it opens without a network."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs"
SECTIONS = {
    "a-body": ("POISE_PT_body", "POISE_PT_shape", "poise.add_body"),
    "your-own-smpl-x-and-vposer": ("poise.add_body_from_file",),
    "the-pose-prior": ("POISE_PT_prior",),
    "pose-live": (
        "POISE_PT_live", "POISE_PT_solve", "poise.pose_live", "poise.pin_targets", "poise.turn_targets",
        "poise.snap_targets", "poise.mirror_live", "poise.lock_limb", "poise.end_live", "poise.add_targets",
        "poise.solve_targets",
    ),
    "poses-from-the-prior": (
        "POISE_PT_pose", "POISE_PT_sliders", "POISE_PT_stored_poses", "POISE_PT_variations", "poise.generate_pose",
        "poise.vary_pose", "poise.key_variations", "poise.make_variations", "poise.pick_variation",
        "poise.mirror_pose", "poise.store_pose", "poise.apply_pose", "poise.remove_pose", "poise.key_sliders",
        "poise.reset_sliders", "poise.save_pose_asset",
    ),
    "how-plausible-a-pose-is": ("POISE_PT_plausible", "poise.check_pose", "poise.make_plausible", "poise.denoise"),
    "the-timeline": ("POISE_PT_interpolate", "poise.interpolate", "poise.reduce_keys"),
    "from-a-camera": (
        "POISE_PT_camera", "poise.add_picture_targets", "poise.solve_picture", "poise.solve_tracks",
    ),
    "a-motion-from-a-c3d-or-trc-take": (
        "POISE_PT_mocap", "POISE_PT_take_labels", "POISE_PT_take_subject", "poise.import_c3d", "poise.solve_take",
        "poise.map_labels", "poise.clear_labels", "poise.apply_label_preset", "poise.save_label_preset",
        "poise.remove_label_preset", "poise.save_subject", "poise.load_subject", "poise.markers_to_empties",
        "POISE_PT_take_residuals", "POISE_PT_take_correct", "poise.go_to_moment", "poise.place_marker",
        "poise.reset_place", "poise.resolve_range",
    ),
    "motion-files": ("poise.import_motion", "poise.export_motion"),
    "the-worker-and-a-gpu": ("poise.test_worker", "poise.cancel_job"),
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
