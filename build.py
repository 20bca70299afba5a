# SPDX-License-Identifier: Apache-2.0
"""The project's commands, with nothing but Python 3.11 and pip: python build.py demo | test | package."""

import argparse
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - this is what an older Python meets
    sys.exit(f"build.py: this is Python {sys.version.split()[0]}; run it with Python 3.11 or later")

from tools.stages import BuildError


def main() -> int:
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    demo = verbs.add_parser(
        "demo", help="run the main job in real Blender: out/demo.blend, out/demo.png, out/demo.json"
    )
    demo.add_argument("take", nargs="?", type=Path, help="a C3D take of yours instead of the one that the demo makes")
    verbs.add_parser("test", help="lint, types, core tests, package, add-on tests in real Blender")
    verbs.add_parser("package", help="write dist/poise-VERSION.zip")
    arguments = parser.parse_args()
    try:
        return run_verb(arguments.verb, getattr(arguments, "take", None))
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("build.py: interrupted; run it again to go on", file=sys.stderr)
        return 130


def run_verb(verb: str, take: Path | None) -> int:
    if verb == "package":
        from tools.package import package

        package()
        return 0
    if verb == "test":
        from tools.checks import run_all

        return run_all()
    from tools.demonstrate import demonstrate

    return demonstrate(take)


if __name__ == "__main__":
    sys.exit(main())
