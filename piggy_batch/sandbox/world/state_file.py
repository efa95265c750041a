"""The state file: read at the start, replaced whole."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.sandbox.settings import Settings
    from piggy_batch.sandbox.world.account import AccountWorld

Json = Any
VERSION = 1
ACCOUNTS = "5a4db0c5-0000-4000-a000-"  # begins the uuids of the accounts of sandboxes
_BOUND = ("seed", "programs", "shops", "ties", "bare_uuids", "account_uuid")  # what the identities in a file depend on


def account_of(state: Path | None) -> str:
    """The account of a sandbox that is started: the one in its state file, where it is; else one that no other has, as
    no other holds what it will hold."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if state is not None:
            return str(json.loads(state.read_bytes())["settings"]["account_uuid"])
    return f"{ACCOUNTS}{secrets.token_hex(6)}"


def read_state(settings: Settings) -> dict[str, Json]:
    """Account uuid -> what the file holds for it; empty without a file.

    Raises ``ValueError`` with a message for people when the file is no state, or was made with other
    settings.
    """
    if settings.state is None:
        return {}
    if not settings.state.parent.is_dir():
        raise ValueError(f"{settings.state.parent} is no folder; the state cannot be kept in it")
    if not settings.state.exists():
        return {}
    try:
        held = json.loads(settings.state.read_bytes())
        version, bound, worlds = held["version"], held["settings"], held["worlds"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{settings.state} is not a sandbox's state; name another file") from None
    if version != VERSION:
        raise ValueError(f"{settings.state} has version {version}, this sandbox writes {VERSION}; name another file")
    for name in _BOUND:
        theirs, ours = bound.get(name), getattr(settings, name)
        if theirs != ours:
            raise ValueError(f"{settings.state} was made with {name} {theirs!r}, not {ours!r}: name another file")
    return dict(worlds)


def write_state(settings: Settings, worlds: Mapping[str, AccountWorld]) -> None:
    """Replaces the file atomically, readable by its owner alone; nothing without one in the settings."""
    if settings.state is None:
        return
    held = {
        "version": VERSION,
        "settings": {name: getattr(settings, name) for name in _BOUND},
        "worlds": {uuid: world.dump() for uuid, world in worlds.items()},
    }
    data = json.dumps(held, separators=(",", ":")).encode()
    handle, temporary = tempfile.mkstemp(dir=settings.state.parent, prefix=settings.state.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(settings.state)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
