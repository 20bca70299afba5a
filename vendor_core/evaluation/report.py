# SPDX-License-Identifier: Apache-2.0
"""The evaluation on one page: a table, curves, the worst samples and interpolations as bodies. Needs matplotlib."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PoiseError
from ..files import replaced_file
from ..prior.base import Prior
from ..prior.interpolate import interpolate_poses
from .data import SEED, EvaluationData
from .drawing import draw_bodies, standing
from .protocol import BASELINES, GMM, REAL, SLERP, Results
from .report_table import draw_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf")
COLOURS = ("#3a6ea5", "#d1733b", "#4b9b72", "#8f5fa8", "#b0a03c", "#5aa9b8")
_GREY, _DARK, _FAINT = "#8a8f99", "#20242c", "#e6e8ec"
_KEY = np.array([0.98, 0.70, 0.42])  # skin of a pose that is given
_MADE = np.array([0.70, 0.76, 0.88])  # skin of a pose that a prior made
_WIDTH, _MARGIN, _DPI = 16.0, 0.6, 160  # inches
_TABLE_TOP, _TABLE, _HEADING, _NAME = 1.35, 8.6, 0.6, 1.1  # inches: where and how high, and room beside bodies
_BODIES, _SCALE = _WIDTH - 2 * _MARGIN - _NAME, 1.08  # inches; inches a metre of a body
_SHARES = (
    ("recall_curve", "Recall: real poses with\na sample within so far"),
    ("precision_curve", "Precision: samples with a\ntraining pose within so far"),
)
_STEP_CURVES = (
    ("step_curve", "Steps from key to key by\ntheir mean, as paths run"),
    ("step_curve_retimed", "Steps by their mean,\nre-timed"),
)
_STEPS, _STRIPS = 8, (0.5, 0.95)  # frames from key to key; the quantiles of how far apart the keys of each strip are


@dataclass(frozen=True)
class Gallery:
    """The poses that the page shows."""

    worst: dict[str, np.ndarray]  # of each prior (10, 21, 3, 3), the farthest from any training pose first
    strips: list[dict[str, np.ndarray]]  # of each prior, and of slerp, (9, 21, 3, 3) from the same key to the same key


def check_report(path: Path) -> None:
    """Find out before minutes of work that a report cannot be made.

    Raises:
        PoiseError: matplotlib is not installed, or the file's name says neither PNG nor PDF.
    """
    if path.suffix.lower() not in FORMATS:
        raise PoiseError(f"{path.name} is no picture; expected a name that ends in {' or '.join(FORMATS)}")
    if find_spec("matplotlib") is None:
        raise PoiseError(
            'the picture needs matplotlib, which is not installed: pip install "poise[report]"; '
            "or leave out -o and take --json alone"
        )


def gallery(priors: Mapping[str, Prior], data: EvaluationData, results: Results, samples: int) -> Gallery:
    """The poses to show.

    Args:
        priors: those of the results, by name.
        data: what they were judged on.
        results: their figures.
        samples: how many samples the worst ones were chosen from.
    """
    worst = {}
    for name, prior in priors.items():
        if numbers := results[name].get("worst"):
            worst[name] = prior.decode(prior.sample(samples, SEED)[numbers])
    keys = data.some(128).astype(np.float64)
    apart = np.linalg.norm(np.diff(data.joints(keys), axis=0), axis=-1).mean(-1)
    order, strips = np.argsort(apart), []
    for quantile in _STRIPS if len(keys) > 1 else ():
        first = int(order[round(quantile * (len(order) - 1))])
        pair = keys[first : first + 2]
        strip = {name: interpolate_poses(prior, pair, [_STEPS]) for name, prior in priors.items()}
        strips.append(strip | {SLERP: interpolate_poses(next(iter(priors.values())), pair, [_STEPS], "slerp")})
    return Gallery(worst, strips)


def write_report(path: Path, results: Results, shown: Gallery, data: EvaluationData) -> None:
    """Draw the page and write it as PNG or PDF.

    Raises:
        PoiseError: it cannot be drawn or written.
    """
    check_report(path)
    page = io.BytesIO()
    draw_report(results, shown, data).savefig(page, format=path.suffix[1:].lower(), dpi=_DPI)
    try:
        with replaced_file(path) as file:
            file.write(page.getvalue())
    except OSError as problem:
        raise PoiseError(f"{path} cannot be written ({problem.strerror}); choose another place") from None


def draw_report(results: Results, shown: Gallery, data: EvaluationData) -> "Figure":
    """The page as a matplotlib figure."""
    from matplotlib.figure import Figure

    names = [name for name in results if name not in BASELINES]
    sections = _sections(shown, data)
    height = _TABLE_TOP + _TABLE + sum(section.height for section in sections) + _MARGIN
    page = _Page(Figure(figsize=(_WIDTH, height), facecolor="white"), height)
    page.text(0.48, "Priors of human pose, compared", 22, weight="bold")
    page.text(0.92, _about(data), 11, color=_GREY)
    draw_table(page.axes(_TABLE_TOP, _MARGIN, 7.9, _TABLE - 0.35), results, BASELINES)
    _draw_curves(page, results, names)
    top = _TABLE_TOP + _TABLE
    for section in sections:
        page.text(top + 0.3, section.title, 13, weight="bold")
        top += _HEADING
        for name, bodies in section.rows.items():
            axes = page.axes(top, _MARGIN + _NAME, _BODIES, bodies.height)
            draw_bodies(axes, bodies.v, data.body.faces, bodies.skin, _BODIES / _SCALE / len(bodies.v))
            page.text(top + bodies.height / 2, name, 12, color=_colour(name, names), weight="bold")
            top += bodies.height
    return page.figure


@dataclass(frozen=True)
class _Bodies:
    """A row of bodies."""

    v: np.ndarray  # (N, V, 3) metres
    skin: np.ndarray  # (N, 3)

    @property
    def height(self) -> float:
        """Inches."""
        return _SCALE * (float(self.v[..., 1].max()) + 0.12)


@dataclass(frozen=True)
class _Section:
    """Rows of bodies under a title."""

    title: str
    rows: dict[str, _Bodies]

    @property
    def height(self) -> float:
        """Inches."""
        return _HEADING + sum(bodies.height for bodies in self.rows.values())


def _sections(shown: Gallery, data: EvaluationData) -> list[_Section]:
    worst = {name: _Bodies(standing(data.body, R), np.tile(_MADE, (len(R), 1))) for name, R in shown.worst.items()}
    sections = [_Section("The worst samples: farthest from any training pose, the farthest first", worst)]
    for far, strip in zip(("about as far apart as most", "far apart"), shown.strips, strict=False):
        rows = {}
        for name, R in strip.items():
            skin = np.tile(_MADE, (len(R), 1))
            skin[[0, -1]] = _KEY
            rows[name] = _Bodies(standing(data.body, R), skin)
        sections.append(_Section(f"Between two real poses {far}, in even steps", rows))
    return [section for section in sections if section.rows]


def _about(data: EvaluationData) -> str:
    return (
        f"{data.split} split: {len(data.held_out):,} poses and {len(data.clips)} clips of people that no prior was "
        f"trained on; {len(data.train):,} training poses with their mirror images; the default body. Distances are mm."
    )


def _colour(name: str, names: Sequence[str]) -> str:
    return COLOURS[names.index(name) % len(COLOURS)] if name in names else _GREY


class _Page:
    """A figure measured in inches from its top left."""

    def __init__(self, figure: "Figure", height: float):
        self.figure, self.height = figure, height

    def axes(self, top: float, left: float, width: float, height: float) -> "Axes":
        bottom = self.height - top - height
        return self.figure.add_axes(
            (left / _WIDTH, bottom / self.height, width / _WIDTH, height / self.height)
        )  # fmt: skip

    def text(self, top: float, text: str, size: float, **style: Any) -> None:
        style = {"color": _DARK, "va": "center"} | style
        self.figure.text(_MARGIN / _WIDTH, 1 - top / self.height, text, fontsize=size, **style)


def _draw_curves(page: _Page, results: Results, names: Sequence[str]) -> None:
    for column, (key, title) in enumerate(_SHARES):
        axes = page.axes(_TABLE_TOP + 0.45, *_plot(column))
        for name, result in results.items():
            if curve := result.get(key, result.get("recall_curve") if name == REAL else None):
                axes.plot(curve, **_line(name, names))
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        _styled(axes, title, "mm", (0, 100), (0, 1))
    for column, (key, title) in enumerate(_STEP_CURVES):
        axes, most = page.axes(_TABLE_TOP + 4.85, *_plot(column)), 0.05
        for name, result in results.items():
            for path, measured in result.get("interpolation", {}).items():
                label = f"{name}, {path}" if path == "geodesic" else name
                style: dict[str, Any] = _line(name, names) | {"label": label}
                style["linestyle"] = ":" if path == "geodesic" else style["linestyle"]
                axes.plot(range(1, len(measured[key]) + 1), measured[key], **style)
                most = max(most, 1.2 * float(np.abs(np.subtract(measured[key], 1)).max()))
        _styled(axes, title, "step", (1, 30), (1 - most, 1 + most))


def _plot(column: int) -> tuple[float, float, float]:
    """Left, width and height, inches."""
    return _MARGIN + 8.7 + 3.5 * column, 2.75, 3.15


def _line(name: str, names: Sequence[str]) -> dict[str, Any]:
    style = "-" if name in names else ":" if name == GMM else "--"
    return {"color": _colour(name, names), "label": name, "linewidth": 2 if name in names else 1.6, "linestyle": style}


def _styled(axes: "Axes", title: str, unit: str, xlim: tuple[float, float], ylim: tuple[float, float]) -> None:
    if not axes.lines:  # nothing of it was measured
        axes.remove()
        return
    axes.set(xlim=xlim, ylim=ylim)
    axes.set_title(title, fontsize=11, weight="bold", color=_DARK, loc="left")
    axes.set_xlabel(unit, fontsize=10, color=_GREY)
    axes.tick_params(labelsize=9, colors=_GREY, length=0)
    axes.grid(color=_FAINT)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
