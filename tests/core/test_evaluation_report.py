# SPDX-License-Identifier: Apache-2.0
"""The evaluation's page and table: they hold the figures, and say beforehand that they cannot be made."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.evaluation_data import made_data
from vendor_core.errors import PoiseError
from vendor_core.evaluation import report
from vendor_core.evaluation.drawing import _shaded, standing
from vendor_core.evaluation.report import check_report, gallery, write_report
from vendor_core.evaluation.report_table import GROUPS, measured_groups, table_text, value_of
from vendor_core.prior import load_prior


def some_results() -> dict[str, dict[str, Any]]:
    """As the protocol makes them, with few rows."""
    steps = {"mean": 1.15, "median": 1.1, "p95": 1.3, "max": 1.4}
    paths = {"r_30": steps, "path_ratio": 1.05, "step_curve": [1.0] * 30, "step_curve_retimed": [1.0] * 30}
    curve = np.linspace(0, 1, 101).tolist()
    sampled = {"recall": {"mean": 56.64}, "recall_curve": curve, "precision": {"mean": 67.0}, "precision_curve": curve}
    return {
        "vae": sampled | {"over_limits": 0.021, "interpolation": {"latent": paths}, "worst": [3, 1, 7]},
        "real data": {"recall": {"mean": 60.9}, "recall_curve": curve, "over_limits": 0.005},
        "slerp": {"interpolation": {"slerp": paths}},
    }


def test_a_cell_is_the_figure_it_names() -> None:
    results, rows = some_results(), {row.label: row for _, group in GROUPS for row in group}
    assert value_of(results["vae"], rows["recall, 200,000 samples, mm"]) == 56.64
    assert value_of(results["vae"], rows["over joint limits, %"]) == pytest.approx(2.1)
    assert value_of(results["slerp"], rows["path by distance"]) == 1.05
    assert value_of(results["slerp"], rows["recall, 200,000 samples, mm"]) is None
    titles = [title for title, _ in measured_groups(results)]
    assert titles == ["Samples", "Interpolation, 30 steps"]


def test_the_table_lines_up() -> None:
    lines = table_text(some_results()).splitlines()
    assert lines[0].split() == ["vae", "real", "data", "slerp"]
    (recall,) = (line for line in lines if "recall, 200,000" in line)
    assert recall.split()[-3:] == ["56.6", "60.9", "–"]
    assert len({len(line) for line in lines if line.startswith("  ")}) == 1


def test_bodies_stand_on_the_ground_and_show_their_front() -> None:
    body, R = made_data().body, made_data().held_out.R[:2].astype(np.float64)
    v = standing(body, R)
    np.testing.assert_allclose(v[..., 1].min(1), 0, atol=1e-12)
    polygons, shades = _shaded(v[0], body.faces, np.array([0.7, 0.7, 0.7]))
    assert len(body.faces) / 4 < len(polygons) < len(body.faces) * 3 / 4  # the rest look away
    assert shades.min() >= 0 and shades.max() <= 1 and np.ptp(shades) > 0.2
    outline = polygons.reshape(-1, 2)
    np.testing.assert_allclose([outline.min(0), outline.max(0)], [v[0, :, :2].min(0), v[0, :, :2].max(0)], atol=0.01)


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_the_page_is_written(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(report, "_STRIPS", (0.5,))
    monkeypatch.setattr(report, "_STEPS", 1)
    priors, results = {"vae": load_prior()}, some_results()
    shown = gallery(priors, made_data(), results, samples=20)
    assert shown.worst["vae"].shape == (3, 21, 3, 3) and set(shown.strips[0]) == {"vae", "slerp"}
    for strip in shown.strips[0].values():
        np.testing.assert_allclose(strip[[0, -1]], shown.strips[0]["vae"][[0, -1]], atol=1e-9)  # the same keys
    path = tmp_path / f"page{suffix}"
    write_report(path, results, shown, made_data())
    start = {".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix]
    assert path.read_bytes()[:4] == start and math.log10(path.stat().st_size) > 4
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_page_that_cannot_be_made_is_refused_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PoiseError, match=r"\.png or \.pdf"):
        check_report(Path("page.jpg"))
    monkeypatch.setattr(report, "find_spec", lambda name: None)
    with pytest.raises(PoiseError, match=r'pip install "poise\[report\]"'):
        check_report(Path("page.png"))
