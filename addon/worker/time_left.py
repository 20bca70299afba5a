# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a job is likely to take still, from the fraction done and the time it took. Knows no bpy and no clock."""

import math

_MEMORY = 3.0  # seconds over which the guess follows a change of speed
_SOON, _LITTLE = 1.0, 0.03  # seconds and fraction done, before which nothing can be said


class TimeLeft:
    """A guess that counts down steadily: the speed so far, smoothed over a few seconds."""

    def __init__(self, start: float) -> None:
        """
        Args:
            start: when the job began, seconds of any clock that the other calls use, too.
        """
        self._start = self._last = start
        self._left: float | None = None

    def note(self, fraction: float, now: float) -> None:
        """Take in that this fraction (0 to 1) is done now."""
        elapsed, passed, self._last = now - self._start, now - self._last, now
        if elapsed < _SOON or fraction < _LITTLE:
            return
        straight = elapsed * (1.0 - fraction) / fraction
        if self._left is None:
            self._left = straight
            return
        counted = max(self._left - passed, 0.0)
        self._left = counted + (1.0 - math.exp(-passed / _MEMORY)) * (straight - counted)

    def seconds(self, now: float) -> int | None:
        """Seconds left, in steps that one can trust: 1 to 10, then fives, from two minutes on tens; None at first."""
        if self._left is None:
            return None
        left = max(self._left - (now - self._last), 1.0)
        step = 1 if left <= 10 else 5 if left < 120 else 10
        return step * math.ceil(left / step - 1e-9)
