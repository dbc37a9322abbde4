"""When Python looks for cycles: between rounds, never within one.

A round makes some hundred thousand objects that live until its commit; the collector's own rhythm walks them again and
again to find nothing (10 to 20 % of a round's time). The client does leave cycles, so the young generations are still
looked through every few seconds, and everything once a minute.
"""

from __future__ import annotations

import gc
import time

YOUNG_SECONDS = 3.0
FULL_SECONDS = 60.0


class Garbage:
    """Takes the collector's place from `take_over` on; `pace` must then be called between rounds."""

    def __init__(self) -> None:
        self._young = self._full = time.monotonic()

    def take_over(self) -> None:
        """What start-up made is never looked at again."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def pace(self) -> None:
        """Collect what is due; cheap when nothing is."""
        now = time.monotonic()
        if now - self._full >= FULL_SECONDS:
            gc.collect()
            self._young = self._full = now
        elif now - self._young >= YOUNG_SECONDS:
            gc.collect(1)
            self._young = now
