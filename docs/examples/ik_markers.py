# SPDX-License-Identifier: Apache-2.0
"""A take of markers to motion: `python ik_markers.py [TAKE.c3d]`; without a take, one of a known person is made."""

import sys

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation import joint_error
from vendor_core.mocap import C3D, LAYOUTS, place_markers, read_take, solve_take, take_of_points
from vendor_core.motion import write_motion
from vendor_core.prior import interpolate_poses, load_prior
from vendor_core.rotations import exp_so3

prior, body = load_prior(), default_body()


def made_take() -> tuple[C3D, np.ndarray]:
    """Two seconds of a tall person with 41 markers, 1 mm of noise and gaps; and the joints (F, 22, 3), metres."""
    rng, betas = np.random.default_rng(0), np.zeros(body.num_betas)
    betas[body.beta_names.index("height")] = 1.5  # standard deviations
    way = interpolate_poses(prior, prior.decode(prior.sample(3, seed=11)), [30, 30])
    root = np.broadcast_to(exp_so3(np.array([np.pi / 2, 0, 0])), (len(way), 1, 3, 3))  # upright, Z up
    labels = LAYOUTS["CMU41"].markers
    rest = place_markers(body, labels).points.rest  # (41, 3): which vertices carry them
    vertices = [int(np.linalg.norm(body.v_template - p, axis=1).argmin()) for p in rest]
    posed = body.pose(np.concatenate([root, way], axis=1), np.array([0.0, 0.0, 1.0]), betas, vertices=vertices)
    points = posed.vertices + rng.normal(scale=0.001, size=posed.vertices.shape)
    points[20:35, 3:6] = np.nan  # unseen for half a second
    return take_of_points(points, labels, rate=30.0), posed.joints[:, :22]


take, truth = made_take() if len(sys.argv) < 2 else (read_take(sys.argv[1]), None)
solution = solve_take(take, body, prior)
said = solution.summary
print(f"layout {said['layout']}, {said['frames']} frames; markers off by {said['median_mm']:.1f} mm (median)")
if truth is not None:
    m = solution.motion
    found = body.pose(exp_so3(m.poses[:, :22]), m.trans, m.betas).joints[:, :22]
    height = [float(np.ptp(body.rest_vertices(b)[:, 1])) for b in (np.zeros(1), m.betas)]
    print(f"a person of {height[1]:.2f} m, where the mean body has {height[0]:.2f} m")
    print(f"joints off by {joint_error(found, truth):.1f} mm on average")
write_motion("motion.npz", solution.motion)  # AMASS's SMPL-X layout
