"""Bulk import and export for Piggy (Leat), with a known fate for every row.

For notebooks and schedulers: ``import piggy_batch as pb``, then ``pb.run``, ``pb.plan``, ``pb.migrate``,
``pb.read_results``, ``pb.status``, ``pb.export_giftcards``, ``pb.export_contacts``, ``pb.snapshots``,
``pb.read_snapshot`` and ``pb.report``; ``pb.Account`` says whom to work for. ``piggy-batch help python`` has recipes.
Each name loads when it is first used.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"
_PLACES = {
    "account": ("Account",),
    "exports": ("export_contacts", "export_giftcards"),
    "reports": ("read_snapshot", "report", "snapshots"),
    "rows": ("migrate", "plan", "read_results", "run", "status"),
    "waiting": ("Progress",),
}
_MODULES = {name: f"piggy_batch.library.{module}" for module, names in _PLACES.items() for name in names}
_MODULES |= dict.fromkeys(
    ("HaltError", "IncompleteError", "JournalError", "PiggyBatchError", "SetupError"), "piggy_batch.errors"
)
__all__ = ["__version__", *sorted(_MODULES)]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
