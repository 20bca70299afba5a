# SPDX-License-Identifier: Apache-2.0
"""The guide as pages that open without a network: docs/*.md and README.md rendered to HTML, run in .venv/docs.

python -m tools.pages FOLDER writes FOLDER/README.html and FOLDER/docs/*.html; pictures stay beside the sources.
"""

import re
import sys
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt  # pyright: ignore[reportMissingImports] - of an environment of its own

from . import ROOT

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; }}
h1, h2, h3 {{ line-height: 1.2; margin: 2rem 0 0.6rem; scroll-margin-top: 1rem; }}
h2 {{ border-bottom: 1px solid #8885; padding-bottom: 0.2rem; }}
code {{ background: #8882; border-radius: 3px; padding: 0 0.2em; font-size: 0.92em; }}
pre {{ background: #8882; border-radius: 5px; padding: 0.7rem 1rem; overflow-x: auto; }}
pre code {{ background: none; padding: 0; }}
img {{ max-width: 100%; border-radius: 5px; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ border: 1px solid #8885; padding: 0.25rem 0.6rem; text-align: left; }}
</style></head><body>
{body}</body></html>
"""


def main() -> None:
    target = Path(sys.argv[1])
    for source in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        page = target / source.relative_to(ROOT).with_suffix(".html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(render(source.read_text(encoding="utf-8")), encoding="utf-8")


def render(text: str) -> str:
    """A page of HTML. Headings get anchors as on code forges; links to other pages go to their HTML."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens, title, taken = parser.parse(text), "Poise", set[str]()
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            if heading.tag == "h1":
                title = inline.content
            heading.attrSet("id", _anchor(inline.content, taken))
    for link in (child for token in tokens for child in token.children or () if child.type == "link_open"):
        address = str(link.attrGet("href"))
        if "://" not in address:
            link.attrSet("href", re.sub(r"\.md(?=#|$)", ".html", address))
    return _PAGE.format(title=title, body=parser.renderer.render(tokens, parser.options, {}))


def _anchor(heading: str, taken: set[str]) -> str:
    """ "A motion from a C3D take" is `a-motion-from-a-c3d-take`."""
    plain = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    anchor = next(name for i in range(len(taken) + 1) if (name := f"{plain}-{i}" if i else plain) not in taken)
    taken.add(anchor)
    return anchor


if __name__ == "__main__":
    main()
