# SPDX-License-Identifier: Apache-2.0
"""Damage files for as long as asked, and go on from those that reach lines of the readers that none reached before.

python -m fuzz --minutes N [--seed S]; `python build.py fuzz --minutes N` runs it. What breaks a reader is kept in
out/fuzz, and the exit status is then 1.
"""

import argparse
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from .mutations import mutated
from .readers import READERS, BrokenPromise, Reader, try_file
from .seeds import seeds

ROOT = Path(__file__).resolve().parents[1]
_OUT = ROOT / "out" / "fuzz"
_TAKES = ROOT.parent / "shared" / "data" / "c3d"


class Lines:
    """The lines of some files that run, in a `with` statement."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self.reached: set[tuple[str, int]] = set()
        self._files = files

    def __enter__(self) -> "Lines":
        sys.settrace(self._called)
        return self

    def __exit__(self, *_exception: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._line if Path(frame.f_code.co_filename).name in self._files else None

    def _line(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        self.reached.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
        return self._line


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    _OUT.mkdir(parents=True, exist_ok=True)
    share = 60 * options.minutes / len(READERS)
    broken = sum(_fuzzed(reader, share, np.random.default_rng(options.seed)) for reader in READERS)
    print(f"{broken} files broke a reader" + (f"; they are in {_OUT.relative_to(ROOT)}" if broken else ""))
    return 1 if broken else 0


def _fuzzed(reader: Reader, seconds: float, rng: np.random.Generator) -> int:
    """How many files broke a reader in so many seconds."""
    corpus, path = seeds(reader.suffix, _TAKES), _OUT / f"case{reader.suffix}"
    reached: set[tuple[str, int]] = set()
    end, tried, read, broken = time.monotonic() + seconds, 0, 0, 0
    while time.monotonic() < end:
        case = mutated(corpus[rng.integers(len(corpus))], corpus, rng)
        path.write_bytes(case)
        tried += 1
        with Lines(reader.files) as lines:
            try:
                read += try_file(reader, path)
            except BrokenPromise as problem:
                broken += 1
                path.replace(_OUT / f"broken_{broken}{reader.suffix}")
                print(f"broken_{broken}{reader.suffix}: {problem}")
        if not lines.reached <= reached:
            reached |= lines.reached
            corpus.append(case)
    path.unlink(missing_ok=True)
    print(
        f"{reader.suffix}: {tried} files, {read} read, {len(reached)} lines reached, {len(corpus)} kept to go on from"
    )
    return broken


if __name__ == "__main__":
    sys.exit(main())
