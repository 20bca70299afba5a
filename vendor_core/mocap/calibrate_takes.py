# SPDX-License-Identifier: Apache-2.0
"""One subject from several takes: shape and marker offsets estimated from frames of all of them together."""

from collections.abc import Sequence

import numpy as np

from ..body import BodyModel
from ..errors import PoiseError
from ..ik.points import N_BETAS
from ..linalg import one_blas_thread
from ..prior.base import Prior
from .c3d import C3D
from .calibration_file import Calibration, calibrated_body
from .calibration_frames import LEAST_MARKERS
from .hands_take import without_fingers
from .label_take import label_take
from .marker_points import place_markers
from .placement_table import placement_table
from .solve_take import Report
from .subject import calibrate_subject
from .take_markers import TakeMarkers, check_markers, markers_of_take
from .timing import sampling


@one_blas_thread
def calibrate_takes(
    takes: Sequence[tuple[str, C3D]], body: BodyModel, prior: Prior, layout: str = "auto",
    report: Report = lambda fraction, text: None,
) -> Calibration:  # fmt: skip
    """Estimate the shape of the person that all takes show, and where its markers sit.

    Args:
        takes: of one person with the same markers, and what each is called in messages. A single frame will do.
        body: a body with a mesh.
        prior: of poses.
        layout: "auto", a layout's name or file.
        report: called with a fraction in 0..1 and a text; may raise `Cancelled`.

    Raises:
        PoiseError: of the kind that `solve_take` raises, its message beginning with the take's name.
    """
    body, shown = body.first_betas(N_BETAS), []
    for i, (name, take) in enumerate(takes):
        report(0.3 * i / len(takes), f"Reading {name}")
        try:
            label_map = without_fingers(label_take(take, layout, body, prior, lambda fraction, text: None))
            found = markers_of_take(take, label_map, sampling(len(take.points), take.rate), None)
            check_markers(found.markers, LEAST_MARKERS)
        except PoiseError as error:
            raise type(error)(f"{name}: {error}") from None
        shown.append(found)
    every = {label for found in shown for label in found.labels}
    labels = tuple(label for label in placement_table() if label in every)
    markers = np.concatenate([_in_order(found, labels) for found in shown])
    seen = np.all(np.isfinite(markers), axis=-1)
    usable = seen.sum(1) >= LEAST_MARKERS
    subject = calibrate_subject(
        place_markers(body, labels), prior, np.nan_to_num(markers)[usable], seen[usable], None,
        lambda f, text: report(0.3 + 0.7 * f, text),
    )  # fmt: skip
    offsets = {label: offset for i, (label, offset) in enumerate(zip(labels, subject.offsets, strict=True))
               if seen[:, i].any()}  # fmt: skip
    return Calibration(subject.betas, offsets, {}, calibrated_body(body))


def _in_order(shown: TakeMarkers, labels: Sequence[str]) -> np.ndarray:
    """Markers (F + 2, M, 3) of a take in an order of labels, NaN for those it lacks.

    Its ends are there twice: what is next to them is of this take then, too.
    """
    markers = np.full((len(shown.points), len(labels), 3), np.nan)
    for i, label in enumerate(shown.labels):
        markers[:, labels.index(label)] = shown.markers[:, i]
    return np.concatenate([markers[:1], markers, markers[-1:]])
