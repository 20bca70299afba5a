# SPDX-License-Identifier: Apache-2.0
"""The table of the report: the main figures, a column for each prior and baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DARK, _GREY, _FAINT, _BAND = "#20242c", "#8a8f99", "#d4d7dd", "#f5f6f8"
_HIGHER = "higher"
_APART, _ROOM = 0.12, 0.57  # of the table's width: from column to column at most, and for all of them


@dataclass(frozen=True)
class Row:
    """A figure: where it lies in a result, how it is written, which way is better."""

    label: str
    keys: tuple[str, ...]
    digits: int = 1
    better: str = "lower"
    scale: float = 1.0


GROUPS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    ("Samples", (
        Row("recall, 200,000 samples, mm", ("recall", "mean")),
        Row("precision, mm", ("precision", "mean")),
        Row("... among the training poses", ("train_to_train", "mean"), better=""),
        Row("diversity (APD), mm", ("apd",), better=""),
        Row("... of the training poses", ("apd_train",), better=""),
        Row("k-NN precision", ("knn_precision",), 3, _HIGHER),
        Row("k-NN recall", ("knn_recall",), 3, _HIGHER),
        Row("FID on joints, cm²", ("fid",), 0, scale=0.01),
        Row("over joint limits, %", ("over_limits",), 1, scale=100),
        Row("... of the training poses", ("over_limits_train",), 1, better="", scale=100),
        Row("limbs in the body, %", ("intersecting",), 1, scale=100),
        Row("... of the training poses", ("intersecting_train",), 1, better="", scale=100),
    )),
    ("Reconstruction", (
        Row("joints, mm", ("reconstruction", "mpjpe")),
        Row("rotations, degrees", ("reconstruction", "deg")),
    )),
    ("Interpolation, 30 steps", (
        Row("longest step by shortest, mean", ("interpolation", "*", "r_30", "mean"), 3),
        Row("... median", ("interpolation", "*", "r_30", "median"), 3),
        Row("... between draws, mean", ("interpolation", "*", "r_drawn", "mean"), 3),
        Row("... between draws, median", ("interpolation", "*", "r_drawn", "median"), 3),
        Row("... re-timed, largest", ("interpolation", "*", "r_retimed_30", "max"), 4),
        Row("path by distance", ("interpolation", "*", "path_ratio"), 3),
        Row("midway, from training poses, mm", ("interpolation", "*", "mid_mm", "mean")),
    )),
    ("Inverse kinematics, all joints, mm", (
        Row("22 joints seen", ("inverse", "known_root", "joints_22", "mm"), 2),
        Row("head, wrists, ankles, pelvis seen", ("inverse", "known_root", "effectors", "mm")),
        Row("... these six alone", ("inverse", "known_root", "effectors", "seen_mm"), 2),
        Row("head and wrists seen", ("inverse", "known_root", "head_wrists", "mm")),
        Row("left arm unseen", ("inverse", "known_root", "left_arm_unseen", "mm")),
        Row("both legs unseen", ("inverse", "known_root", "legs_unseen", "mm")),
        Row("41 markers, 10 mm noise, 20 % missing", ("inverse", "known_root", "markers_41", "mm")),
    )),
    ("From one picture, aligned, mm", (
        Row("no noise", ("pictures", "noise_0", "p_mpjpe")),
        Row("5 px noise", ("pictures", "noise_5", "p_mpjpe")),
        Row("no noise, the prior's poses alone", ("pictures", "noise_0_latent_alone", "p_mpjpe")),
    )),
    ("Broken poses told from real ones, AUC", (
        Row("one joint by 45 to 90°", ("implausible", "one_joint", "*"), 3, _HIGHER),
        Row("all joints by 15°", ("implausible", "all_joints", "*"), 3, _HIGHER),
        Row("a knee or elbow the wrong way", ("implausible", "hyper_extended", "*"), 3, _HIGHER),
        Row("left limbs of another pose", ("implausible", "swapped", "*"), 3, _HIGHER),
    )),
    ("Motion with 40 mm of noise", (
        Row("joints, mm", ("denoising", "noise_40", "sequence", "mm")),
        Row("acceleration, mm/frame²", ("denoising", "noise_40", "sequence", "acceleration")),
    )),
    ("Time, one core, ms", (
        Row("decode one pose", ("latency", "decode_1", "ms_p50"), 3),
        Row("solve six effectors", ("latency", "solve", "ms_p50")),
    )),
)  # fmt: skip


def value_of(result: dict[str, Any], row: Row) -> float | None:
    """The figure of a row in a result, None where it was not measured; `*` takes what comes first."""
    found: Any = result
    for key in row.keys:
        if not isinstance(found, dict) or not found:
            return None
        found = next(iter(found.values())) if key == "*" else found.get(key)
    return None if found is None else row.scale * float(found)


def measured_groups(results: dict[str, dict[str, Any]]) -> list[tuple[str, list[Row]]]:
    """The groups and rows of which any result has a figure."""
    groups = []
    for title, rows in GROUPS:
        rows = [row for row in rows if any(value_of(result, row) is not None for result in results.values())]
        if rows:
            groups.append((title, rows))
    return groups


def table_text(results: dict[str, dict[str, Any]]) -> str:
    """The figures as lines of text, a column for each result."""
    width = max((len(row.label) for _, rows in GROUPS for row in rows), default=0) + 2
    columns = {name: max(len(name), 7) + 2 for name in results}
    lines = [" " * width + "".join(f"{name:>{columns[name]}}" for name in results)]
    for title, rows in measured_groups(results):
        lines.append(title)
        for row in rows:
            cells = (f"{_written(value_of(result, row), row):>{columns[name]}}" for name, result in results.items())
            lines.append(f"  {row.label:{width - 2}}" + "".join(cells))
    return "\n".join(lines)


def _written(value: float | None, row: Row) -> str:
    return "–" if value is None else f"{value:,.{row.digits}f}"


def draw_table(axes: "Axes", results: dict[str, dict[str, Any]], baselines: Sequence[str] = ()) -> None:
    """Draw the figures of each prior and baseline; the best of several priors is bold.

    Args:
        axes: to draw on.
        results: one object a prior and a baseline.
        baselines: names of the baselines, which are not compared.
    """
    groups = measured_groups(results)
    n_lines = 1 + sum(len(rows) + 1.25 for _, rows in groups)
    axes.set(xlim=(0, 1), ylim=(n_lines, 0))
    axes.axis("off")
    apart = min(_APART, _ROOM / len(results))
    columns = {name: 1 - apart * (len(results) - 1 - i) for i, name in enumerate(results)}
    for name, x in columns.items():
        label = name.replace(" ", "\n")
        axes.text(x, 0.5, label, ha="right", va="center", fontsize=10, weight="bold", color=_DARK)
    line = 1.0
    for title, rows in groups:
        axes.text(0, line + 0.75, title, va="center", fontsize=11, weight="bold", color=_DARK)
        axes.plot([0, 1], [line + 1.2] * 2, color=_FAINT, linewidth=0.8)
        line += 1.25
        for row in rows:
            _draw_row(axes, line + 0.5, row, results, columns, baselines)
            line += 1


def _draw_row(
    axes: "Axes", y: float, row: Row, results: dict[str, dict[str, Any]], columns: dict[str, float],
    baselines: Sequence[str],
) -> None:  # fmt: skip
    values = {name: value_of(result, row) for name, result in results.items()}
    compared = [v for name, v in values.items() if v is not None and name not in baselines]
    best = None
    if len(compared) > 1 and row.better:
        best = max(compared) if row.better == _HIGHER else min(compared)
    axes.text(0.015, y, row.label, va="center", fontsize=10, color=_DARK)
    for name, value in values.items():
        weight = "bold" if value is not None and value == best and name not in baselines else "normal"
        color = _GREY if value is None or name in baselines else _DARK
        axes.text(
            columns[name], y, _written(value, row), ha="right", va="center", fontsize=10, weight=weight, color=color
        )
