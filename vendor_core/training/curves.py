# SPDX-License-Identifier: Apache-2.0
"""Loss curves: kept while training lasts, drawn as a picture beside the weights. The picture needs matplotlib."""

import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from ..errors import PriorError
from ..files import replaced_file

Curve = Sequence[tuple[int, float]]
"""Steps done and the loss there."""

VALIDATION = "prior, people held out"
_COLOURS = ("#3a6ea5", "#d1733b", "#4b9b72", "#8f5fa8")
_GREY, _FAINT = "#5a606b", "#e6e8ec"
_TICKS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # of each decade: most curves fall by less than one
_SIZE, _DPI = (12.0, 3.4), 130  # inches
_EDGES = {"left": 0.045, "right": 0.99, "bottom": 0.15, "top": 0.82, "wspace": 0.16}


def picture_path(out: Path) -> Path:
    """Where the curves of a file's training are drawn."""
    return out.with_name(f"{out.stem}.loss.png")


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return find_spec("matplotlib") is not None


def draw_curves(path: Path, curves: Mapping[str, Curve], title: str) -> None:
    """Draw each part's loss over its steps, side by side; that of people held out beside the prior's own.

    Raises:
        PriorError: the file cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

    parts = [name for name in curves if name != VALIDATION]
    figure = Figure(figsize=_SIZE)
    figure.subplots_adjust(**_EDGES)
    for axes, name, colour in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, _COLOURS, strict=False):
        axes.plot(*zip(*curves[name], strict=True), color=colour, linewidth=1.2, label="training")
        if name == "prior" and curves.get(VALIDATION):
            axes.plot(
                *zip(*curves[VALIDATION], strict=True), color=_COLOURS[-1], linewidth=1.6, label="people held out"
            )
            axes.legend(frameon=False, labelcolor=_GREY)
        axes.set_title(name, loc="left", fontsize=11)
        axes.set_xlabel("step", color=_GREY)
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=_TICKS) if high > 2 * low else MaxNLocator(6))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.grid(color=_FAINT)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=_GREY)
    figure.suptitle(title, fontsize=11, color=_GREY, x=0.01, ha="left")
    picture = io.BytesIO()
    figure.savefig(picture, dpi=_DPI, format="png", facecolor="white")
    try:
        with replaced_file(path) as file:
            file.write(picture.getbuffer())
    except OSError as problem:
        raise PriorError(f"{path} cannot be written ({problem.strerror}); choose another place") from None
