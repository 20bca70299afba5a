# SPDX-License-Identifier: Apache-2.0
"""C3D takes of marker trajectories (https://www.c3d.org/HTML/): a bounded reader in plain NumPy.

Every count in the file is held against the bytes that are there before anything is allocated. What the format
leaves open follows the files of Vicon, Qualisys, Motion Analysis and CMU.
"""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from ..arrays import FARTHEST
from ..errors import C3DError
from .c3d_names import events, labels_and_names, model_outputs, up_axis
from .c3d_parameters import BLOCK, ByteOrder, Parameters, float32s, floats_from_dec, int16s

_KEY = b"\x50"  # second byte of every C3D file
_FULL = 0xFFFF  # what a 16-bit frame count says when the take is longer
FASTEST = 1.0e5  # Hz

# fmt: off
METRES = {"mm": 0.001, "millimeter": 0.001, "millimetre": 0.001, "cm": 0.01, "centimeter": 0.01, "centimetre": 0.01,
           "m": 1.0, "meter": 1.0, "metre": 1.0, "in": 0.0254, "inch": 0.0254, "inche": 0.0254,
           "ft": 0.3048, "foot": 0.3048, "feet": 0.3048}  # a plural's s is dropped before
# fmt: on
_SPAN = 1.5  # metres, about what the markers of a standing or crouching person span in one frame


@dataclass(frozen=True, eq=False)
class C3D:
    """A take as it lies in the file, in metres.

    Attributes:
        points: (F, P, 3) float32, metres in the file's own axes; NaN = unseen.
        residuals: (F, P) float32, metres; -1 = unseen.
        labels: P names as found, unique: the second LABEL is LABEL#2, a point without name *k.
        rate: frames a second.
        units: length unit as found, "" where the file names none.
        first_frame: number of the first frame in the whole trial.
        up_axis: "X", "Y" or "Z": what the file shows vertically (POINT:Y_SCREEN), else "Z".
        model_outputs: labels of points that software computed (angles, forces, bone axes).
        events: (seconds from the trial's start, label).
        byte_order: "intel", "dec" or "mips".
        warnings: one line for each thing that had to be guessed.
    """

    points: np.ndarray
    residuals: np.ndarray
    labels: tuple[str, ...]
    rate: float
    units: str
    first_frame: int
    up_axis: str
    model_outputs: tuple[str, ...]
    events: tuple[tuple[float, str], ...]
    byte_order: str
    warnings: tuple[str, ...]

    @property
    def visible(self) -> np.ndarray:
        """(F, P) bool: which point is seen in which frame."""
        return self.residuals >= 0

    def markers(self) -> np.ndarray:
        """Indices of the points that are markers: not computed by software and seen at least once."""
        outputs = set(self.model_outputs)
        measured = np.array([label not in outputs for label in self.labels], dtype=bool)
        return np.flatnonzero(measured & self.visible.any(axis=0))


@dataclass(frozen=True)
class _Frames:
    """Where the frames lie: `count` rows of `n_points` quadruples and `n_analog` numbers, from byte `start`."""

    start: int
    count: int
    n_points: int
    n_analog: int
    scale: float  # < 0: the numbers are reals; > 0: integers in steps of it

    @property
    def step(self) -> float:
        """Units of length in one step of the coordinates."""
        return self.scale if self.scale > 0 else 1.0


def read_c3d(path: str | Path) -> C3D:
    """Reads a C3D file; no more memory than a few times its size is ever allocated.

    Raises:
        C3DError: no such file, no C3D file, cut short, no points, or counts and rates that make no sense.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(BLOCK)
            if head[1:2] != _KEY:
                raise C3DError("not a C3D file (no C3D header). Expected a .c3d export of marker trajectories")
            if len(head) < BLOCK:
                raise C3DError(f"ends inside its header at byte {len(head)}. The file is cut short; export it again")
            file.seek(0)
            data = file.read()
        return _parse(data)
    except C3DError as error:
        raise C3DError(f"{path.name}: {error}") from None
    except OSError as error:
        raise C3DError(
            f"{path.name}: cannot be read ({error.strerror}). Expected a .c3d file; check the path"
        ) from None


def _parse(data: bytes) -> C3D:
    parameters, data_start = _sections(data)
    warnings: list[str] = []
    rate = _rate(data, parameters, warnings)
    frames = _frames(data, data_start, parameters, warnings)
    labels, names = labels_and_names(parameters, frames.n_points)
    outputs = model_outputs(parameters, names)
    raw, words = _numbers(data, frames, parameters.order)
    units = (parameters.strings("POINT", "UNITS") or [""])[0]
    measured = np.array([name not in outputs for name in names], dtype=bool)
    unit = METRES.get(units.lower().rstrip("s.")) or _guessed_unit(
        units, raw[:, measured], words[:, measured], frames.step, warnings
    )
    points, residuals = _points(raw, words, frames, unit)
    return C3D(
        points=points,
        residuals=residuals,
        labels=labels,
        rate=rate,
        units=units,
        first_frame=_first_frame(data, parameters),
        up_axis=up_axis(parameters),
        model_outputs=tuple(label for label, real in zip(labels, measured, strict=True) if not real),
        events=events(parameters),
        byte_order=parameters.order.name.lower(),
        warnings=tuple(warnings),
    )


def _sections(data: bytes) -> tuple[Parameters, int]:
    """The parameters and the byte at which the frames start."""
    start = (max(data[0], 1) - 1) * BLOCK
    if start == 0 or start + BLOCK > len(data):
        raise C3DError(
            f"its parameter section should start at byte {start} of {len(data)}. "
            "The file is cut short or damaged; export it again"
        )
    try:
        order = ByteOrder(data[start + 3])
    except ValueError:
        raise C3DError(
            f"processor type {data[start + 3]} found, expected 84 (Intel), 85 (DEC) or 86 (MIPS). "
            "The file is no C3D or damaged; export it again"
        ) from None
    declared = _unsigned(data, 8, order)
    stop = (declared - 1) * BLOCK
    if stop <= start:  # the header does not say; the section's own length then must do
        stop = start + BLOCK * max(data[start + 2], 1)
    if stop > len(data):
        raise C3DError(
            f"ends at byte {len(data)}, before its frames start at byte {stop}. The file is cut short; export it again"
        )
    parameters = Parameters(data, start + 4, stop, order)
    if declared < 2:
        stop = max(stop, (_count(parameters, "POINT", "DATA_START", 0) - 1) * BLOCK)
    return parameters, stop


def _unsigned(data: bytes, word: int, order: ByteOrder) -> int:
    return int(int16s(data, 2 * word, 1, order)[0]) & 0xFFFF


def _count(parameters: Parameters, group: str, name: str, default: int) -> int:
    """A count that files write as an integer of 16 bits, signed or not, or as a real."""
    value = parameters.number(group, name)
    if value is None or not isfinite(value):
        return default
    return int(value) + (0x10000 if value < 0 else 0)


def _rate(data: bytes, parameters: Parameters, warnings: list[str]) -> float:
    in_header = float(float32s(data, 20, 1, parameters.order)[0])
    in_parameters = parameters.number("POINT", "RATE")
    rate = in_header if in_parameters is None else in_parameters
    if not 0 < rate <= FASTEST:
        raise C3DError(f"frame rate {rate:g} found, expected a positive number of Hz. Correct POINT:RATE and try again")
    if not np.isclose(rate, in_header, rtol=1e-3):
        warnings.append(f"POINT:RATE says {rate:g} Hz, the header {in_header:g} Hz; POINT:RATE is used")
    return rate


def _frames(data: bytes, start: int, parameters: Parameters, warnings: list[str]) -> _Frames:
    in_header = _unsigned(data, 1, parameters.order)
    n_points = _count(parameters, "POINT", "USED", in_header)
    if n_points != in_header:
        warnings.append(f"POINT:USED says {n_points} points, the header {in_header}; POINT:USED is used")
    if n_points < 1:
        raise C3DError(
            "holds no markers (0 points). Expected marker trajectories; export the take with its 3D points, labelled"
        )
    scale = parameters.number("POINT", "SCALE")
    scale = float(float32s(data, 12, 1, parameters.order)[0]) if scale is None else scale
    if not isfinite(scale) or scale == 0:
        raise C3DError(
            f"POINT:SCALE is {scale:g}, expected a number other than 0. The file is damaged; export it again"
        )
    n_analog = _unsigned(data, 2, parameters.order)
    row = (4 * n_points + n_analog) * (4 if scale < 0 else 2)
    count = _frame_count(data, parameters, (len(data) - start) // row)
    return _Frames(start, count, n_points, n_analog, scale)


def _trial_range(parameters: Parameters) -> tuple[int, int] | None:
    """First and last frame of TRIAL, two 16-bit halves each, low half first: for takes of more than 65535 frames."""
    ends = [parameters.numbers("TRIAL", f"ACTUAL_{end}_FIELD") for end in ("START", "END")]
    if any(end is None or len(end) < 2 or not np.isfinite(end).all() for end in ends):
        return None
    first, last = (int(end[0]) % 0x10000 + 0x10000 * (int(end[1]) % 0x10000) for end in ends if end is not None)
    return first, last


def _frame_count(data: bytes, parameters: Parameters, available: int) -> int:
    """How many frames the file holds: the longest of its (often contradictory) counts whose bytes are there."""
    first, last = _unsigned(data, 3, parameters.order), _unsigned(data, 4, parameters.order)
    short = [last - first + 1, _count(parameters, "POINT", "FRAMES", 0)]
    trial = _trial_range(parameters)
    long = [_count(parameters, "POINT", "LONG_FRAMES", 0), trial[1] - trial[0] + 1 if trial else 0]
    if last == _FULL and max(long) >= _FULL - first:  # the 16-bit counts are saturated
        short = []
    counts = [count for count in (*short, *long) if count > 0]
    if not counts:
        raise C3DError("holds no frames. Expected marker trajectories; export the take again")
    fitting = [count for count in counts if count <= available]
    if not fitting:
        raise C3DError(f"ends after frame {available} of {min(counts)}. The file is cut short; export or copy it again")
    return max(fitting)


def _first_frame(data: bytes, parameters: Parameters) -> int:
    trial = _trial_range(parameters)
    return trial[0] if trial else _unsigned(data, 3, parameters.order)


def _numbers(data: bytes, frames: _Frames, order: ByteOrder) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (F, P, 3) in the file's own numbers, and the fourth word (F, P) of each point as float32."""
    row = 4 * frames.n_points + frames.n_analog
    kind, halves = ("i2", 1) if frames.scale > 0 else ("f4", 1)
    if frames.scale < 0 and order is ByteOrder.DEC:
        kind, halves = "u2", 2
    rows = np.frombuffer(data, order.sign + kind, frames.count * row * halves, frames.start)
    quadruples = rows.reshape(frames.count, row * halves)[:, : 4 * frames.n_points * halves]
    if halves == 2:
        quadruples = floats_from_dec(quadruples)
    quadruples = quadruples.reshape(frames.count, frames.n_points, 4)
    return quadruples[..., :3], quadruples[..., 3].astype(np.float32)


def _unseen(raw: np.ndarray, words: np.ndarray) -> np.ndarray:
    """(F, P) bool. A negative fourth word says so; exact zeros are what other software writes into gaps."""
    with np.errstate(invalid="ignore"):
        return ~(words >= 0) | (raw == 0).all(axis=-1) | ~np.isfinite(raw).all(axis=-1)


def _points(raw: np.ndarray, words: np.ndarray, frames: _Frames, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Points in metres with NaN where unseen, and residuals in metres with -1 there; `unit` is in metres."""
    unseen = _unseen(raw, words)
    points = np.empty(raw.shape, dtype=np.float32)
    with np.errstate(all="ignore"):
        np.multiply(raw, np.float32(unit * frames.step), out=points)
        unseen |= ~(np.abs(points) <= FARTHEST).all(axis=-1)
        # The low byte of the fourth word is the residual in steps of |scale|, the high byte the cameras that saw it.
        steps = np.clip(np.where(unseen, 0, words), 0, 0x7FFF).astype(np.int16) & 0xFF
        residuals = steps.astype(np.float32) * np.float32(abs(frames.scale) * unit)
    residuals[unseen] = -1
    points[unseen] = np.nan
    return points, residuals


def _guessed_unit(units: str, raw: np.ndarray, words: np.ndarray, step: float, warnings: list[str]) -> float:
    """Where the file names no known unit: metres in the unit that makes the markers span a person."""
    sample = slice(None, None, max(len(raw) // 50, 1))
    some = np.where(_unseen(raw[sample], words[sample])[..., None], np.nan, raw[sample].astype(np.float64))
    with np.errstate(all="ignore"):
        lowest = np.fmin.reduce(some, axis=1, initial=np.nan)
        spans = (np.fmax.reduce(some, axis=1, initial=np.nan) - lowest).max(axis=-1) * step
    spans = spans[np.isfinite(spans) & (spans > 0)]
    guess = "mm"
    if spans.size:
        span = float(np.median(spans))
        guess = min(("mm", "cm", "m"), key=lambda unit: abs(np.log(span * METRES[unit] / _SPAN)))
    found = f'POINT:UNITS is "{units}"' if units else "the file names no unit"
    warnings.append(f"{found}; the markers' extent suggests {guess}, which is used")
    return METRES[guess]
