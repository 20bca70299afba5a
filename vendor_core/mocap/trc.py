# SPDX-License-Identifier: Apache-2.0
"""TRC takes: Motion Analysis's table of marker trajectories, as Cortex, OpenSim, OptiTrack and others write it."""

from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import numpy as np

from ..arrays import FARTHEST
from ..errors import C3DError
from .c3d import C3D, FASTEST, METRES
from .c3d_names import unique_labels

_MOST = 200_000_000  # coordinates, beyond which they would not fit in memory
_FULLEST = 0.1  # share of the fields that are there, even where most rows end early
_KEYS = ("DataRate", "NumMarkers", "Units")


def read_trc(path: str | Path) -> C3D:
    """Read a TRC file; empty fields, and points at exactly zero, are unseen.

    Raises:
        C3DError: no such file, no TRC file, damaged, no points, or rates and units that make no sense.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise C3DError(
            f"{path.name}: cannot be read ({error.strerror}). Expected a .trc file; check the path"
        ) from None
    try:
        return _parse(text.splitlines())
    except C3DError as error:
        raise C3DError(f"{path.name}: {error}") from None


def _parse(lines: list[str]) -> C3D:
    if len(lines) < 6 or not lines[0].startswith("PathFileType"):
        raise C3DError("not a TRC file (no PathFileType). Expected a .trc export of marker trajectories")
    facts = dict(zip(lines[1].split(), lines[2].split(), strict=False))
    if missing := [key for key in _KEYS if key not in facts]:
        raise C3DError(f"its header names no {missing[0]}; expected {', '.join(_KEYS)}: export it again")
    rate, unit = _number(facts["DataRate"]), METRES.get(facts["Units"].lower().rstrip("s."))
    if not 0 < rate <= FASTEST or unit is None:
        raise C3DError(f"{facts['DataRate']} Hz in {facts['Units']}; expected frames a second, and mm, cm or m")
    names = [name.strip() for name in lines[3].split("\t")[2::3]]
    while names and not names[-1]:  # the table's right edge
        names.pop()
    count = _number(facts["NumMarkers"])
    if not names or len(names) != count:
        raise C3DError(f"it names {len(names)} markers, and says that there are {facts['NumMarkers'][:20]}")
    points = unit * _table(lines[4:], len(names))
    with np.errstate(invalid="ignore"):
        points[~(np.abs(points) <= FARTHEST).all(-1) | (points == 0).all(-1)] = np.nan
    first = _number(facts.get("OrigDataStartFrame", "1"))
    return C3D(
        points=points.astype(np.float32),
        residuals=np.where(np.isnan(points[..., 0]), -1, 0).astype(np.float32),
        labels=unique_labels(names),
        rate=rate,
        units=facts["Units"],
        first_frame=int(first) if isfinite(first) else 1,
        up_axis="Y",
        model_outputs=(),
        events=(),
        byte_order="text",
        warnings=(),
    )


def _table(lines: list[str], n_markers: int) -> np.ndarray:
    """Coordinates (F, M, 3) in the file's unit, NaN where a field is empty."""
    rows = [fields for line in lines if (fields := _fields(line))]
    if not rows or len(rows) * n_markers * 3 > _MOST:
        raise C3DError(f"it has {len(rows)} frames of {n_markers} markers; expected a table that fits in memory")
    width = 2 + 3 * n_markers
    found = sum(map(len, rows))
    if found < _FULLEST * width * len(rows):
        raise C3DError(f"its {len(rows)} rows have {found} fields in all; expected {width} in each, some of them empty")
    table = np.full((len(rows), width), np.nan)
    for i, fields in enumerate(rows):
        if any(field.strip() for field in fields[width:]):
            raise C3DError(
                f"the row of frame {fields[0][:20]} has more than {width} fields; expected {n_markers} points"
            )
        table[i, : len(fields[:width])] = list(_numbers(fields[:width]))
    return table[:, 2:].reshape(len(rows), n_markers, 3)


def _fields(line: str) -> list[str]:
    """The fields of a frame's row; none of a row that is no frame's, such as that of X1, Y1, Z1."""
    fields = line.split("\t") if "\t" in line else line.split()
    return fields if isfinite(_number(fields[0] if fields else "")) else []


def _numbers(fields: list[str]) -> Iterator[float]:
    for field in fields:
        number = _number(field)
        if field.strip() and not isfinite(number) and field.strip().lower() != "nan":
            raise C3DError(f'"{field[:20]}" at frame {fields[0][:20]} is no number; export the take again')
        yield number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
