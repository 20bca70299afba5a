# SPDX-License-Identifier: Apache-2.0
"""The project's commands, with Python 3.11 and pip alone: python build.py demo | test | package | bench | fuzz."""

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
    test = verbs.add_parser(
        "test", help="lint, types, core tests, the library installed anew, package, add-on tests in real Blender"
    )
    test.add_argument(
        "--gui", nargs="?", const="trixie", choices=("trixie", "sid"),
        help="then drive Blender's window in a Debian of its own: trixie's Blender 4.3, or sid's; needs Linux and root",
    )  # fmt: skip
    verbs.add_parser("package", help="write dist/poise-VERSION.zip, the extension, and dist/poise-*.whl, the library")
    bench = verbs.add_parser("bench", help="measure the solver: a table and out/bench.json")
    bench.add_argument("--no-blas", action="store_true", help="repeat the rows of live use in a NumPy without BLAS")
    bench.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda adds the batches on a GPU")
    bench.add_argument("--split", choices=("test", "val"), default="test", help="val to choose by, test to report")
    bench.add_argument("--only", nargs="+", metavar="NAME", default=[], help="some of the benchmarks alone")
    fuzz = verbs.add_parser("fuzz", help="damage takes and motions, and see that every reader says so in a line")
    fuzz.add_argument("--minutes", type=float, default=1.0)
    fuzz.add_argument("--seed", type=int, default=0, help="another seed, other damages")
    arguments = parser.parse_args()
    try:
        return run_verb(arguments)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("build.py: interrupted; run it again to go on", file=sys.stderr)
        return 130


def run_verb(arguments: argparse.Namespace) -> int:
    if arguments.verb == "package":
        from tools.library import build_wheel
        from tools.package import package

        package()
        build_wheel()
        return 0
    if arguments.verb == "test":
        from tools.checks import run_all

        return run_all(arguments.gui)
    if arguments.verb == "bench":
        from tools.benchmark import BenchOptions, benchmark

        return benchmark(BenchOptions(arguments.no_blas, arguments.device, arguments.split, arguments.only))
    if arguments.verb == "fuzz":
        from tools.environments import CORE, ready
        from tools.stages import run

        return run([ready(CORE), "-m", "fuzz", "--minutes", str(arguments.minutes), "--seed", str(arguments.seed)])
    from tools.demonstrate import demonstrate

    return demonstrate(arguments.take)


if __name__ == "__main__":
    sys.exit(main())
