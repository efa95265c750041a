"""Files that appear whole or not at all, readable by their owner only."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 1 << 20  # bytes read at a time


@contextmanager
def whole(target: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that becomes ``target`` when the block ends without an error.

    The file is 0600 and synced before it takes its name. With ``replace`` false an existing ``target`` stays
    and FileExistsError is raised. SetupError where the place cannot be written.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield draft
        _sync(draft)
        if replace:
            draft.replace(target)
        else:
            _claim(draft, target)
        _sync(target.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise SetupError(f"{target}: cannot be written ({error.strerror or error}); nothing was left there") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_whole(target: Path, data: bytes) -> None:
    """Put ``data`` at ``target``, whole or not at all, 0600."""
    with whole(target) as draft:
        draft.write_bytes(data)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _claim(draft: Path, target: Path) -> None:
    """Give ``draft`` the name ``target`` unless that is taken; a hard link decides a race."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(str(target)) from None
        draft.replace(target)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
