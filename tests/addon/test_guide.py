# SPDX-License-Identifier: Apache-2.0
"""Help leads to pages that the add-on holds, and to sections that they have."""

import re
from pathlib import Path
from urllib.parse import unquote

import bpy
from support import addon


def test_every_section_that_help_opens_is_in_the_guide_and_is_somebodys(poise: str) -> None:
    pages = addon("guide_pages")
    path = Path(unquote(pages.address().removeprefix("file://")))
    text = path.read_text(encoding="utf-8")
    assert path.name == "guide.html" and path.parent == pages.FOLDER
    for section, names in pages.SECTIONS.items():
        assert f'id="{section}"' in text, f"the guide has no section {section}: addon/guide_pages.py names it"
        for name in names:
            room, _, operator = name.partition(".")
            assert operator in dir(bpy.ops.poise) if operator else hasattr(bpy.types, room), name


def test_f1_over_any_button_opens_the_guide(poise: str) -> None:
    pages = addon("guide_pages")
    look_up = bpy.types.WM_OT_doc_view_manual._lookup_rna_url
    for name in dir(bpy.ops.poise):
        expected = pages.address(pages.section_of(f"poise.{name}"))
        assert look_up(f"bpy.ops.poise.{name}", verbose=False) == expected
    assert look_up("bpy.ops.poise.generate_pose", verbose=False).endswith("#poses-from-the-prior")


def test_links_between_the_pages_lead_somewhere(poise: str) -> None:
    folder = addon("guide_pages").FOLDER
    for page in (*folder.glob("*.html"), folder.parent / "README.html"):
        for _, link in re.findall(r'(href|src)="([^"]*)"', page.read_text(encoding="utf-8")):
            target = link.split("#")[0]
            assert "://" in target or not target or (page.parent / target).exists(), (page.name, target)
