# SPDX-License-Identifier: Apache-2.0
"""The command line: `python -m vendor_core VERB`, or `poise VERB` once installed.

Exit status 0, or 2 with one line on standard error, one for each take where some of several fail. Progress is shown on
standard error where that is a terminal.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

from . import __version__
from .errors import PoiseError
from .files import replaced_file
from .prior.interpolate import Timing
from .training.people import SPLITS

_MOST = 100_000  # poses or frames made by one command: what fits in memory at a few kilobytes each
_DIGITS = 20  # of a number on the command line; int() of thousands of them is refused by Python


class _Parser(argparse.ArgumentParser):
    """Errors in one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        raise PoiseError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        The exit status.
    """
    try:
        options = _parser().parse_args(arguments)
        if options.verb == "worker":
            from .worker import main as serve

            serve()
        _check_places(options)
        from . import commands

        result = getattr(commands, options.verb)(options)
        if options.json is not None:
            _write_json(options.json, result)
        failed = result.get("failed", ())
        for each in failed:
            print(f"poise: {each['take']}: {each['error']}", file=sys.stderr)
        return 2 if failed else 0
    except PoiseError as error:
        print(f"poise: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"poise: {stop.args[0] if stop.args else 'interrupted; nothing was written'}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="poise", description="Human poses from a learned prior: solve, fit, sample, interpolate.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_solve(verbs)
    _add_calibrate(verbs)
    _add_fit(verbs)
    _add_convert(verbs)
    _add_sample(verbs)
    _add_interpolate(verbs)
    _add_score_and_denoise(verbs)
    _add_train(verbs)
    _add_evaluate(verbs)
    info = _verb(verbs, "info", "what a body, prior, motion or C3D file holds")
    info.add_argument("file", type=Path, metavar="FILE")
    verbs.add_parser("worker", help="serve Blender on standard input and output")
    return parser


def _verb(verbs: Any, name: str, text: str, out: str | None = None) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results as JSON")
    if out:
        parser.add_argument("-o", dest="out", type=Path, required=True, metavar="OUT", help=out)
    return parser


def _add_body_and_prior(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--body", type=Path, metavar="FILE", help="a SMPL, SMPL-H or SMPL-X body of yours")
    parser.add_argument("--prior", default="vae", metavar="NAME|FILE", help="default: %(default)s")


def _add_untangle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--untangle", action="store_true", help="move limbs out of the body and of one another")


def _add_solve(verbs: Any) -> None:
    parser = _verb(
        verbs, "solve", "solve C3D and TRC takes: markers to motion", "npz file, or a folder for several takes"
    )
    parser.add_argument("takes", nargs="+", type=Path, metavar="TAKE")
    _add_body_and_prior(parser)
    parser.add_argument("--layout", default="auto", metavar="auto|NAME|FILE", help="the markers' names and places")
    parser.add_argument("--prefix", metavar="NAME", help="whose labels, NAME:LFHD, of several people; default: most")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--fps", type=_rate, metavar="N", help="rate of the motion; default: the take's own")
    parser.add_argument(
        "--shape", default="auto", metavar="auto|none|FILE", help="betas: solved, zero, or those of a motion"
    )
    parser.add_argument(
        "--subject",
        type=Path,
        metavar="FILE",
        help="shape and marker offsets as calibrate found them, instead of --shape",
    )


def _add_calibrate(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "calibrate",
        "find a person's shape and where the markers sit, from takes of that person",
        "subject, json",
    )
    parser.add_argument(
        "takes",
        nargs="+",
        type=Path,
        metavar="TAKE",
        help="any takes with the same markers; poses that differ tell most",
    )
    _add_body_and_prior(parser)
    parser.add_argument("--layout", default="auto", metavar="auto|NAME|FILE", help="the markers' names and places")


def _add_fit(verbs: Any) -> None:
    parser = _verb(verbs, "fit", "fit 3D joints: positions to motion", "motion file")
    parser.add_argument(
        "joints", type=Path, metavar="JOINTS.npz", help="joints (frames, J, 3) metres, Z up; names (J,)"
    )
    _add_body_and_prior(parser)
    parser.add_argument(
        "--shape", choices=("auto", "none"), default="auto", help="solve betas too, where 12 joints are named"
    )
    _add_untangle(parser)


def _add_convert(verbs: Any) -> None:
    parser = _verb(verbs, "convert", "a motion from AMASS npz to BVH or back", "motion file, .npz or .bvh")
    parser.add_argument("motion", type=Path, metavar="MOTION", help=".npz or .bvh; any human skeleton with usual names")
    _add_body_and_prior(parser)


def _add_sample(verbs: Any) -> None:
    parser = _verb(verbs, "sample", "generate poses", "motion file, one pose a frame")
    parser.add_argument("-n", type=_count, default=1, metavar="N", help="number of poses")
    parser.add_argument("--seed", type=_seed, default=0, metavar="S")
    parser.add_argument("--prior", default="vae", metavar="NAME|FILE", help="default: %(default)s")
    parser.add_argument("--near", type=Path, metavar="POSE.npz", help="stay near the first pose of this motion file")
    parser.add_argument("--amount", type=_amount, metavar="A", help="0: that pose, 1: any; default 0.5")
    parser.add_argument("--lock", default="", metavar="GROUP,...", help="joint groups or joints that keep that pose")
    _add_untangle(parser)


def _add_interpolate(verbs: Any) -> None:
    parser = _verb(verbs, "interpolate", "go from key to key through the prior", "motion file")
    parser.add_argument("keys", type=Path, metavar="KEYS.npz", help="a motion file whose frames are the keys")
    parser.add_argument("--frames", type=_count, required=True, metavar="N", help="frames in all, keys included")
    parser.add_argument(
        "--path",
        choices=("latent", "slerp", "geodesic"),
        default="latent",
        help="through the prior, each joint alone, or through the prior the shortest way; default: %(default)s",
    )
    parser.add_argument("--timing", choices=get_args(Timing), default="constant")
    parser.add_argument("--loop", action="store_true", help="go back to the first key, which ends the motion too")
    parser.add_argument("--prior", default="vae", metavar="NAME|FILE", help="default: %(default)s")


def _add_score_and_denoise(verbs: Any) -> None:
    score = _verb(verbs, "score", "say how plausible each pose and joint of a motion is, 0 to 1")
    denoise = _verb(verbs, "denoise", "repair implausible joints of a motion and remove its jitter", "motion file")
    denoise.add_argument("--amount", type=_amount, default=1.0, metavar="A", help="0: nothing, 1: all; default 1")
    for parser in (score, denoise):
        parser.add_argument("motion", type=Path, metavar="MOTION.npz")
        parser.add_argument("--prior", default="vae", metavar="NAME|FILE", help="default: %(default)s")


def _add_train(verbs: Any) -> None:
    parser = _verb(verbs, "train", "train a prior on motion of yours", "weights, npz")
    parser.add_argument(
        "--data",
        nargs="+",
        action="extend",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="motion packs (train.npz, val.npz), or folders of AMASS .npz and BVH files, one folder a person",
    )
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="subjects",
        help="hold out one person in ten, or train on the data sets of AMASS's published split; default: %(default)s",
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="S")
    parser.add_argument(
        "--kind",
        choices=("vae", "gan_s", "gan_u", "gan_n"),
        default="vae",
        help="an auto-encoder, or an adversarial prior on a sphere, in a box, or normal; default: %(default)s",
    )
    parser.add_argument(
        "--steps", type=_steps, metavar="N", help="how long; default: as the shipped priors, 16000, gan_*: 11000"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")


def _add_evaluate(verbs: Any) -> None:
    parser = _verb(verbs, "evaluate", "judge priors on motion that none of them was trained on")
    parser.add_argument("--prior", nargs="+", default=["vae"], metavar="NAME|FILE", help="default: vae")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER|FILE",
        help="a folder of train.npz and SPLIT.npz, or one; or folders of people, of AMASS .npz and BVH files",
    )  # fmt: skip
    parser.add_argument(
        "--split", choices=("test", "val", "subjects", "amass"),
        help="of packs: val to choose by, test to report (default); of files: judge on those whom `train` holds out by "
        "its --split, default subjects",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", default=[], metavar="ROW", help="some of the protocol's rows alone")
    parser.add_argument("-o", dest="out", type=Path, metavar="REPORT.png", help="a page of pictures, png or pdf")


def _count(text: str) -> int:
    return _whole(text, 1, _MOST, "count")


def _steps(text: str) -> int:
    return _whole(text, 2, 100_000_000, "number of steps")


def _seed(text: str) -> int:
    return _whole(text, 0, 2**63 - 1, "seed")


def _whole(text: str, low: int, high: int, what: str) -> int:
    if not text.isdecimal() or len(text) > _DIGITS or not low <= int(text) <= high:
        shown = text if len(text) <= _DIGITS else f"{text[:_DIGITS]}..."
        raise argparse.ArgumentTypeError(f"{shown!r} is no {what}; expected a whole number from {low} to {high}")
    return int(text)


def _rate(text: str) -> float:
    return _number(text, 1e-3, 1e4, "frames a second")


def _amount(text: str) -> float:
    return _number(text, 0.0, 1.0, "an amount")


def _number(text: str, low: float, high: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}; expected a number from {low:g} to {high:g}")
    return value


def _check_places(options: argparse.Namespace) -> None:
    """Find out before the work, not after it, that a result has no place to go.

    Raises:
        PoiseError: the folder of a file to write does not exist, or the file is a folder, an input or another result.
    """
    given = [
        x
        for key, value in vars(options).items()
        if key not in ("out", "json", "verb")
        for x in (value if isinstance(value, list) else [value])
    ]
    taken = {os.path.realpath(x) for x in given if isinstance(x, Path) or (isinstance(x, str) and Path(x).suffix)}
    out = getattr(options, "out", None)
    if options.verb == "solve" and out is not None and out.suffix != ".npz":
        out = None  # a folder, which is made where it is missing
    for path in filter(None, (out, options.json)):
        if not path.parent.is_dir():
            raise PoiseError(f"{path} cannot be written: {path.parent} is no folder; choose another place")
        if path.is_dir():
            raise PoiseError(f"{path} cannot be written: it is a folder; choose another name")
        if os.path.realpath(path) in taken:
            raise PoiseError(f"{path} is read or written by this command already; choose another name for the result")
        taken.add(os.path.realpath(path))


def _write_json(path: Path, result: dict[str, Any]) -> None:
    try:
        with replaced_file(path) as file:
            file.write(json.dumps(result, indent=1, allow_nan=False).encode())
    except OSError as problem:
        raise PoiseError(f"{path} cannot be written ({problem.strerror}); choose another place") from None
