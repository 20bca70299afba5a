# SPDX-License-Identifier: Apache-2.0
"""What is known of a subject once a take is solved: shape, and where the markers sit. Kept as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..body import BodyModel
from ..errors import SubjectError
from ..files import replaced_file
from .marker_points import SkinPlace
from .take_fit import TakeFit, take_fit_of

_VERSION = 1
_LARGEST_FILE = 1_000_000  # bytes
_LARGEST_BETA = 1e4  # standard deviations
_FARTHEST = 1.0  # metres of an offset
_LARGEST_NUMBER = 1e9  # in a place; NaN is not below it either
_MOST = 400  # betas, markers
_LONGEST_NAME = 100


@dataclass(frozen=True, eq=False)
class Calibration:
    """A subject's shape and markers, on one body."""

    betas: np.ndarray  # (B,)
    offsets: Mapping[str, np.ndarray]  # (3,) metres in the rest frame, from the marker's place, by marker
    places: Mapping[str, SkinPlace] = field(default_factory=dict)  # of markers that do not sit where the table says
    body_name: str = "default"  # of `calibrated_body`
    fit: TakeFit | None = None  # of the take that this was last used on

    def as_dict(self) -> dict[str, Any]:
        """What JSON can hold; `calibration_of` reads it."""
        data = {
            "version": _VERSION,
            "body": self.body_name,
            "betas": np.asarray(self.betas, dtype=float).tolist(),
            "offsets": {marker: np.asarray(offset, dtype=float).tolist() for marker, offset in self.offsets.items()},
            "places": {marker: asdict(place) for marker, place in self.places.items()},
        }
        return data if self.fit is None else data | {"take": self.fit.as_dict()}

    def check_body(self, body: BodyModel) -> None:
        """Refuse another body than the one of which the betas and places are.

        Raises:
            SubjectError: so it is.
        """
        name = calibrated_body(body)
        if name != self.body_name:
            raise SubjectError(
                f'The calibration is of the body "{self.body_name}", the solve of "{name}"; expected one and the same'
            )
        if len(self.betas) > body.num_betas:
            raise SubjectError(
                f"The calibration holds {len(self.betas)} betas; expected at most the {body.num_betas} of {body.name}"
            )


def calibrated_body(body: BodyModel) -> str:
    """By which name a calibration knows its body."""
    return "default" if body.beta_names else body.name


def calibration_of(data: Any) -> Calibration:
    """A calibration from what `Calibration.as_dict` gave.

    Raises:
        SubjectError: it is something else, or of a later version.
    """
    if not isinstance(data, dict) or not {"version", "body", "betas", "offsets"} <= data.keys():
        raise SubjectError("This is no subject's calibration; expected what the verb calibrate writes")
    if data["version"] != _VERSION:
        raise SubjectError(f"The calibration's version is {data['version']!r}; expected {_VERSION}: update Poise")
    body_name, offsets, places = data["body"], data["offsets"], data.get("places", {})
    if not isinstance(body_name, str) or len(body_name) > _LONGEST_NAME:
        raise SubjectError("The calibration names no body; expected what the verb calibrate writes")
    betas = _numbers(data["betas"], None, _LARGEST_BETA, "betas")
    for of, what in ((offsets, "offsets"), (places, "places")):
        if not isinstance(of, dict) or len(of) > _MOST or not all(0 < len(name) <= _LONGEST_NAME for name in of):
            raise SubjectError(f"The calibration's {what} are no table by marker; expected a JSON object")
    return Calibration(
        betas,
        {marker: _numbers(offset, 3, _FARTHEST, f"offset of {marker}") for marker, offset in offsets.items()},
        {marker: _place(marker, place) for marker, place in places.items()},
        body_name,
        take_fit_of(data["take"]) if data.get("take") is not None else None,
    )


def _numbers(values: Any, count: int | None, largest: float, what: str) -> np.ndarray:
    expected = f"{count} numbers" if count else "numbers"
    if not isinstance(values, list) or len(values) not in (range(_MOST + 1) if count is None else (count,)):
        raise SubjectError(f"The calibration's {what} are not {expected}; expected what the verb calibrate writes")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= largest:
            raise SubjectError(f"The calibration's {what}: {value!r} found, expected numbers of at most {largest:g}")
    return np.array(values, dtype=np.float64)


def _place(marker: str, place: Any) -> SkinPlace:
    if not isinstance(place, dict) or place.keys() != {"vertices", "barycentric", "height"}:
        raise SubjectError(f"The calibration's place of {marker} lacks vertices, barycentric or height")
    return skin_place(marker, place["vertices"], place["barycentric"], place["height"])


def skin_place(marker: str, vertices: Any, barycentric: Any, height: Any) -> SkinPlace:
    """A place from JSON.

    Raises:
        SubjectError: these are not three whole numbers, three numbers and a number.
    """

    def number(value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST_NUMBER

    def three(values: Any) -> bool:
        return isinstance(values, list) and len(values) == 3 and all(map(number, values))

    if not (three(vertices) and all(vertex == int(vertex) for vertex in vertices)):
        raise SubjectError(f"{marker} is placed at {vertices!r}; expected the numbers of three vertices")
    if not (three(barycentric) and number(height)):
        raise SubjectError(f"{marker} is placed with {barycentric!r}, {height!r}; expected three weights and a height")
    corners = (int(vertices[0]), int(vertices[1]), int(vertices[2]))
    return SkinPlace(corners, (float(barycentric[0]), float(barycentric[1]), float(barycentric[2])), float(height))


def write_calibration(path: str | Path, calibration: Calibration) -> None:
    """Write a calibration file, as a whole or not at all, without what it says of a take.

    Raises:
        SubjectError: the folder does not exist or is not writable.
    """
    try:
        with replaced_file(path) as file:
            file.write(json.dumps(replace(calibration, fit=None).as_dict(), indent=1, allow_nan=False).encode())
    except OSError as problem:
        raise SubjectError(f"{path} cannot be written ({problem.strerror}); choose another place") from None


def read_calibration(path: str | Path) -> Calibration:
    """Read a calibration file.

    Raises:
        SubjectError: there is none, or it is something else.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise SubjectError(f"{path.name}: larger than 1 MB; expected what the verb calibrate writes")
        data = json.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise SubjectError(
            f"{path} cannot be read ({problem.strerror}); expected what the verb calibrate writes"
        ) from None
    except (ValueError, RecursionError):  # no UTF-8, no JSON
        raise SubjectError(f"{path.name}: no readable JSON; expected what the verb calibrate writes") from None
    try:
        return calibration_of(data)
    except SubjectError as error:
        raise SubjectError(f"{path.name}: {error}") from None
