# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operators that generate poses ask alike: which bones may change, the fingers, and the prior."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import StringProperty

from ..preferences import offered_priors
from ..prior_choice import key_of
from .common import BONES, LOCK, RigOperator, rig_of

if TYPE_CHECKING:
    from ..rig.posing.generating import Given

ROOT_ITEMS = (
    ("UPRIGHT", "Upright on Ground", "Upright, facing where it faces, its lowest point at height zero"),
    ("HEIGHT", "Keep Height", "Its lowest point stays at the height where it is, on whatever it stands"),
    ("KEEP", "Keep", "The pelvis stays as it is"),
)


class PoseChoices(RigOperator):
    """An operator that generates poses in which some bones may have to stay."""

    bones: BONES  # type: ignore[valid-type]
    lock: LOCK  # type: ignore[valid-type]
    prior: StringProperty(  # type: ignore[valid-type]
        name="Prior",
        description="Another prior than that of the panel Pose Prior, this time: its name, such as vae, or its file",
        search=offered_priors,
        search_options={"SUGGESTION"},
    )

    def draw_choices(self, layout: bpy.types.UILayout | None) -> None:
        """Hands, bones, locks and prior, below what the operator itself asks."""
        for name in ("hands", "bones"):
            layout.prop(self, name)
        layout.column(heading="Lock").prop(self, "lock", expand=True)
        layout.prop(self, "prior")

    def given(self, context: bpy.types.Context) -> "Given":
        """The present pose, and what may change of it."""
        from ..rig.posing.generating import read_given

        key = self.prior or key_of(context.scene)
        return read_given(context, rig_of(context), key, self.lock, self.bones)
