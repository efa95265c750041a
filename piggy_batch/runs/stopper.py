"""How another thread ends a command softly."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stopper:
    """Lets another thread end a command softly, as the first Ctrl-C does."""

    def __init__(self) -> None:
        self._stop: Callable[[], object] | None = None
        self._wanted = False
        self._lock = threading.Lock()

    def request(self) -> None:
        """Take no more of what there is to do; where that is not possible yet, as soon as it is."""
        with self._lock:
            self._wanted = True
            stop = self._stop
        if stop is not None:
            stop()

    def attach(self, stop: Callable[[], object] | None) -> None:
        """What ends the command; None: it has ended."""
        with self._lock:
            self._stop = stop
            wanted = self._wanted and stop is not None
        if wanted and stop is not None:
            stop()
