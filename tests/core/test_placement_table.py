# SPDX-License-Identifier: Apache-2.0
"""Where the table puts markers on a body."""

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.mocap.marker_points import place_markers
from vendor_core.mocap.placement_table import mirrored_label, placement_table
from vendor_core.skeleton import JOINTS


@pytest.mark.parametrize("label", ["LKNM", "LANM", "LELM", "LMT1"])
def test_markers_on_the_inner_side_of_a_limb_stay_on_that_limb(label: str) -> None:
    body = default_body()
    points = place_markers(body, [label, mirrored_label(label)]).points
    joint = body.joint_names.index(placement_table()[label].from_joint)
    assert np.linalg.norm(points.rest[0] - body.joints_template[joint]) < 0.13
    assert points.rest[0, 0] > 0.01 > -0.01 > points.rest[1, 0]


def test_placement_table_is_symmetric_and_complete() -> None:
    table = placement_table()
    assert len(table) == 98 and {"LBAK", "RBAK", "C7", "T10", "CLAV", "STRN", "RMT5"} <= set(table)
    for label, placement in table.items():
        assert placement.label == label
        assert placement.from_joint in JOINTS and placement.to_joint in JOINTS
        assert placement.bone is None or placement.bone in JOINTS
        assert -0.1 <= placement.t <= 1.6 and 0 <= placement.height < 0.1 and all(0 < s < 0.2 for s in placement.sigma)
        assert np.linalg.norm(placement.direction) > 0.5
        if mirrored_label(label) != label:
            assert table[mirrored_label(label)].mirrored() == placement
        else:
            assert placement.direction[0] == 0
    assert table["RSHO"].bone == "right_collar" and table["RSHO"].from_joint == "right_collar"
    assert table["RTHI"].direction == (-1.0, 0.0, 0.15)
    assert table["LWRA"].height == pytest.approx(0.03) and table["LTHI"].sigma == pytest.approx((0.02, 0.08, 0.025))
