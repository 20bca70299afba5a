# SPDX-License-Identifier: Apache-2.0
"""What a benchmark is: the figures it promises, the function that measures them, and the rows that come of it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

WITHOUT_BLAS = ", NumPy without BLAS"
"""Ends the names of rows that were measured with such a NumPy."""


class Unavailable(Exception):
    """What a benchmark needs is not here; the message says what, in one line."""


@dataclass(frozen=True)
class Settings:
    """What all benchmarks of a run share."""

    data: Path  # the folder of the development data
    split: str = "test"  # or "val", to choose by
    device: str = "cpu"


@dataclass(frozen=True)
class Figure:
    """One promised number: a name, a unit, and the goal where there is one."""

    name: str
    unit: str
    better: Literal["lower", "higher"]
    goal: float | None = None
    goal_without_blas: float | None = None


@dataclass(frozen=True)
class Outcome:
    """One measured number, beside the same of something else where there is such a thing."""

    value: float
    against: str | None = None  # what `ratio` compares with
    reference: float | None = None  # the number of that, in the figure's unit
    note: str = ""  # data, rates, parts: what one must know to read the number
    goal: float | None = None  # where the goal depends on what else was measured


@dataclass(frozen=True)
class Benchmark:
    """Figures that one function measures, in a process of its own.

    The function returns one outcome for each figure, in their order.
    """

    name: str  # for `--only`
    figures: tuple[Figure, ...]
    measure: Callable[[Settings], Sequence[Outcome]]
    threads: int | None = 1  # of BLAS, OpenMP and torch; None leaves them alone
    without_blas: bool = False  # measured again in a NumPy without BLAS, where that is asked for
    device: Literal["cpu", "cuda"] = "cpu"


@dataclass(frozen=True)
class Row:
    """One line of the table and of bench.json; value is None where nothing could be measured, and note says why."""

    name: str
    value: float | None
    unit: str
    goal: float | None
    better: str
    against: str | None
    ratio: float | None
    machine: str
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without goal or value."""
        if self.goal is None or self.value is None:
            return None
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def rows_of(benchmark: Benchmark, outcomes: Sequence[Outcome], machine: str) -> list[Row]:
    """The rows of what was measured."""
    rows = []
    for figure, found in zip(benchmark.figures, outcomes, strict=True):
        ratio = found.value / found.reference if found.reference else None
        goal = figure.goal if found.goal is None else found.goal
        against = found.against if ratio is not None else None
        rows.append(
            Row(figure.name, _short(found.value), figure.unit, _short(goal), figure.better, against, _short(ratio),
                machine, found.note)
        )  # fmt: skip
    return rows


def missing_rows(benchmark: Benchmark, machine: str, why: str) -> list[Row]:
    """The rows of a benchmark that could not be run."""
    return [Row(f.name, None, f.unit, f.goal, f.better, None, None, machine, why) for f in benchmark.figures]


def rows_without_blas(benchmark: Benchmark, rows: Sequence[Row], with_blas: Sequence[Row]) -> list[Row]:
    """Rows measured in a NumPy without BLAS, under names and goals of their own, against the same with BLAS."""
    renamed = []
    for figure, row, other in zip(benchmark.figures, rows, with_blas, strict=True):
        ratio = row.value / other.value if row.value is not None and other.value else None
        against = "the same with BLAS" if ratio is not None else None
        renamed.append(
            replace(
                row, name=row.name + WITHOUT_BLAS, goal=figure.goal_without_blas, against=against, ratio=_short(ratio)
            )
        )
    return renamed


def _short(value: float | None) -> float | None:
    """Four significant digits: no figure here is known better."""
    return None if value is None else float(f"{float(value):.4g}")
