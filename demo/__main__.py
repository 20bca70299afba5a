# SPDX-License-Identifier: Apache-2.0
"""Run in Blender's Python: `python -m demo ZIP OUT [TAKE.c3d]`."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    """Play the story and write demo.blend, demo.png and demo.json into the folder OUT."""
    package, out = Path(sys.argv[1]), Path(sys.argv[2])
    take = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="poise_demo_") as folder:
        os.environ["BLENDER_USER_RESOURCES"] = folder  # read when bpy is imported: a Blender nobody has used
        from . import sheet, story

        log = story.Log()
        try:
            scene = story.play(log, package, take, out)
        except RuntimeError as error:  # how Blender's Python passes on the error that an operator reported
            print(f"demo: {str(error).strip().removeprefix('Error: ')}", file=sys.stderr, flush=True)
            return 2
        with log.step("Render the contact sheet"):
            sheet.render(scene, out / "demo.png")
        with log.step("Save demo.blend"):
            story.save(out / "demo.blend")
        results = {"blender": story.version(), "seconds": round(time.perf_counter() - began, 2), "steps": log.steps}
        temporary = out / "demo.json.part"
        temporary.write_text(json.dumps(results, indent=1), encoding="utf-8")
        os.replace(temporary, out / "demo.json")
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # Blender as a module may hang at exit while add-ons are enabled
