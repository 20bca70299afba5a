# SPDX-License-Identifier: Apache-2.0
"""One benchmark in a process of its own: `python -m bench.one NAME SPLIT DEVICE DATA OUT.json`.

Its threads, its memory and its crashes are then its own. The program that starts it sets the number of threads.
"""

import json
import sys
from pathlib import Path

from vendor_core.errors import PoiseError

from .machine import machine_text
from .rows import Benchmark, Row, Settings, Unavailable, missing_rows, rows_of
from .table import ALL


def measure(benchmark: Benchmark, settings: Settings) -> tuple[list[Row], bool]:
    """The rows of a benchmark, and whether it failed; of one that cannot be run here, rows that say why."""
    machine = machine_text(benchmark.device, benchmark.threads)
    try:
        return rows_of(benchmark, benchmark.measure(settings), machine), False
    except Unavailable as why:
        return missing_rows(benchmark, machine, f"not measured: {why}"), False
    except PoiseError as error:
        return missing_rows(benchmark, machine, f"failed: {error}"), True


def main() -> int:
    name, split, device, data, out = sys.argv[1:]
    rows, failed = measure(ALL[name], Settings(Path(data), split, device))
    answer = {"failed": failed, "rows": [row.as_json() for row in rows]}
    Path(out).write_text(json.dumps(answer), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
