# SPDX-License-Identifier: Apache-2.0
"""Run benchmarks one after another, show a table and write bench.json: `python -m bench --out FOLDER`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import ROOT
from .machine import machine_text
from .rows import Benchmark, Row, Settings, missing_rows, rows_without_blas
from .table import ALL

_LONGEST = 1200.0  # seconds that one benchmark may take
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Report:
    """The rows so far and the benchmarks that failed."""

    rows: list[Row] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def add(self, rows: Sequence[Row]) -> None:
        self.rows.extend(rows)
        for row in rows:
            print(line_of(row), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for.

    Returns:
        0, or 1 where a benchmark failed; one whose GPU or data is not here has not failed.
    """
    arguments = _parser().parse_args(argv)
    chosen = [ALL[name] for name in ALL if not arguments.only or name in arguments.only]
    settings = Settings(arguments.data, arguments.split, arguments.device)
    if arguments.device == "cuda" and not _has_cuda():
        print("no CUDA device here: the rows that need one stay empty", flush=True)
    report = Report()
    print(_HEADER, flush=True)
    for benchmark in chosen:
        _run(benchmark, settings, arguments.without_blas, report)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_rows(arguments.out / "bench.json", report.rows)
    for name in report.failed:
        print(f"bench: {name} failed", file=sys.stderr)
    return 1 if report.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ALL), metavar="NAME", help=f"some of: {', '.join(ALL)}")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda adds the batches on a GPU")
    parser.add_argument("--split", choices=("test", "val"), default="test", help="val to choose by, test to report")
    parser.add_argument("--without-blas", type=Path, metavar="PYTHON", help="repeat some in a Python without BLAS")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the development data")
    parser.add_argument("--out", type=Path, default=ROOT / "out", help="the folder of bench.json")
    return parser


def _run(benchmark: Benchmark, settings: Settings, without_blas: Path | None, report: Report) -> None:
    """Run one benchmark, and again without BLAS where that is asked for."""
    if benchmark.device == "cuda" and settings.device != "cuda":
        why = "not measured: needs a CUDA device and --device cuda"
        report.add(missing_rows(benchmark, machine_text("cpu", benchmark.threads), why))
        return
    rows = _apart(benchmark, settings, Path(sys.executable), report)
    report.add(rows)
    if without_blas and benchmark.without_blas:
        repeated = _apart(benchmark, settings, without_blas, report)
        report.add(rows_without_blas(benchmark, repeated, rows))


def _apart(benchmark: Benchmark, settings: Settings, python: Path, report: Report) -> list[Row]:
    """The rows of a benchmark that runs in a process of its own; whatever befalls it, the next ones run too."""
    title = benchmark.name if python == Path(sys.executable) else f"{benchmark.name} without BLAS"
    pools = {} if benchmark.threads is None else dict.fromkeys(_POOLS, str(benchmark.threads))
    with tempfile.TemporaryDirectory(prefix="poise_bench_") as folder:
        out = Path(folder) / "rows.json"
        command = [python, "-m", "bench.one", benchmark.name, settings.split, settings.device, settings.data, out]
        began = time.perf_counter()
        try:
            done = subprocess.run(
                [str(part) for part in command], cwd=ROOT, env={**os.environ, **pools}, timeout=_LONGEST,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            why = f"took longer than {_LONGEST:g} s"
        else:
            if done.returncode == 0 and out.is_file():
                answer = json.loads(out.read_text(encoding="utf-8"))
                if answer["failed"]:
                    report.failed.append(title)
                return [Row(**row) for row in answer["rows"]]
            lines = done.stdout.strip().splitlines()
            why = lines[-1][:200] if lines else f"stopped with exit status {done.returncode}"
    report.failed.append(title)
    why = f"failed after {time.perf_counter() - began:.0f} s: {why}"
    return missing_rows(benchmark, machine_text(benchmark.device, benchmark.threads), why)


def _has_cuda() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


_HEADER = f"{'':4} {'':72} {'value':>9} {'goal':>9} {'ratio':>8}"


def line_of(row: Row) -> str:
    """A row as a line of the table."""
    mark = {True: "ok", False: "MISS", None: ""}[row.reached]
    if row.value is None:
        return f"{'-':4} {row.name:72} {row.note}"
    goal = "" if row.goal is None else f"{row.goal:.4g}"
    ratio = "" if row.ratio is None else f"{row.ratio:.3g} x {row.against}"
    return f"{mark:4} {row.name:72} {row.value:9.4g} {goal:>9} {row.unit:9} {ratio}"


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write bench.json, as a whole or not at all."""
    temporary = path.with_suffix(".json.part")
    temporary.write_text(json.dumps([row.as_json() for row in rows], indent=1), encoding="utf-8")
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main())
