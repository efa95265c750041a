"""Files that appear whole or not at all, and what the machine says when it cannot write one."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import JournalError, PiggyBatchError, SetupError
from piggy_batch.text import show_controls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


UNFINISHED = ".piggy-batch-unfinished"  # the folder of a run directory in which its files lie until they are whole


def unwritable(target: Path, error: OSError) -> PiggyBatchError:
    """What :func:`atomic_file` raises unless its caller names another error."""
    return SetupError(f"{target}: cannot be written ({error.strerror or error}); nothing was left there")


def unwritable_in_run(target: Path, error: OSError) -> PiggyBatchError:
    """As :func:`unwritable`, for what belongs to a run that has begun: the same command writes it again."""
    why = error.strerror or error
    return JournalError(f"{target} cannot be written: {why}; {going_on(error)}", goes_on=True)


def real_file(path: Path) -> Path:
    """The file that a path stands for: where it is a symbolic link, the one that it points to, there or not."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


@contextmanager
def atomic_file(
    target: Path,
    *,
    replace: bool = True,
    drafts: Path | None = None,
    failing: Callable[[Path, OSError], Exception] | None = unwritable,
    on_whole: Callable[[Path], None] | None = None,
) -> Iterator[Path]:
    """Yield a temporary path that becomes ``target`` when the block ends without an error: whole or not at all.

    The file is 0600 and on disk before it takes its name, and the name is on disk on return. Until then it lies
    beside ``target``, or in ``drafts``, a folder of the same file system that exists only as long as something lies
    in it. With ``replace`` false an existing ``target`` stays and FileExistsError is raised. A symbolic link that a
    person named, outside of a run directory, is written through. ``failing`` makes the error of an OSError; None: it is
    raised as it is. ``on_whole`` is called with the temporary path when all of it is on disk and has no name yet.
    """
    if replace and drafts is None:
        target = real_file(target)
    draft = (drafts or target.parent) / f".{target.name}.{secrets.token_hex(4)}.part"
    try:
        if drafts is not None:
            drafts.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield draft
        _sync(draft)
        if on_whole is not None:
            on_whole(draft)
        if replace:
            draft.replace(target)
        else:
            _claim(draft, target)
        _sync(target.parent)
    except FileExistsError:
        raise
    except OSError as error:
        if failing is None:
            raise
        raise failing(target, error) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        if drafts is not None:
            with suppress(OSError):  # something else lies there
                drafts.rmdir()


def remove_drafts(target: Path) -> None:
    """Remove what kills have left of drafts of a file beside it, with what libraries had put aside for them."""
    draft = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.part(\.[a-z0-9_]{{8}})?")
    for path in list(target.parent.iterdir()):
        if (name := draft.fullmatch(path.name)) is None or path.is_dir() != bool(name[1]):
            continue
        if name[1]:
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


class LibraryFile:
    """A file for a library that does not pass on an OSError as it is: it hides it in an exception of its own, or writes
    again when it is thrown away, and fails again. So no call fails here, and :meth:`finish` raises the first error.

    ``scratch`` is a folder for what the library puts aside; it goes when the file is finished or abandoned.
    """

    def __init__(self, path: Path) -> None:
        self._failure: OSError | None = None
        self._ended = False
        self._folder = TemporaryDirectory(dir=path.parent, prefix=f"{path.name}.", ignore_cleanup_errors=True)
        self.scratch = self._folder.name
        try:
            self._file = path.open("wb")
        except OSError:
            self._folder.cleanup()
            raise

    def write(self, data: bytes) -> int:
        """Append, or drop what follows a failure."""
        self._do(lambda: self._file.write(data))
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place in the file."""
        self._do(lambda: self._file.seek(offset, whence))
        return self.tell()

    def tell(self) -> int:
        """The place in the file; 0 after a failure."""
        return self._do(self._file.tell) or 0

    def flush(self) -> None:
        """Hand on what is written so far."""
        self._do(self._file.flush)

    def finish(self, close: Callable[[], None]) -> None:
        """Let the library complete the file with ``close``; OSError where any of it could not be written."""
        try:
            close()
        except Exception as error:  # noqa: BLE001 - whichever the library has made of it
            hidden = error.args[0] if error.args else None
            raise (hidden if isinstance(hidden, OSError) else error) from None
        finally:
            self._end()
        if self._failure is not None:
            raise self._failure

    def abandon(self, close: Callable[[], None]) -> None:
        """Let the library close what it has open; the file is thrown away."""
        with suppress(Exception):
            close()
        self._end()

    def _end(self) -> None:
        self._do(self._file.close)
        self._folder.cleanup()
        self._ended = True

    def _do(self, step: Callable[[], int | None]) -> int | None:
        if self._failure is None and not self._ended:
            try:
                return step()
            except OSError as error:
                self._failure = error
        return None


def write_whole(
    target: Path,
    data: bytes,
    *,
    drafts: Path | None = None,
    failing: Callable[[Path, OSError], Exception] | None = unwritable,
    on_whole: Callable[[Path], None] | None = None,
) -> None:
    """Put ``data`` at ``target``, as :func:`atomic_file` does."""
    with atomic_file(target, drafts=drafts, failing=failing, on_whole=on_whole) as draft:
        draft.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a page or a text that a person asked for, whole or not at all, readable by its owner only."""
    # A file's name may hold bytes that are no text; \\udcff is what JSON writes for one.
    write_whole(path, text.encode("utf-8", "backslashreplace"), failing=unwritable_in_run)


def write_json(
    path: Path,
    data: Mapping[str, Any],
    *,
    drafts: Path | None = None,
    on_whole: Callable[[Path], None] | None = None,
) -> None:
    """Write a JSON file of a run, whole or not at all, readable by its owner only; ``on_whole`` as above."""
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    whole = text.encode("utf-8", "backslashreplace")
    write_whole(path, whole, drafts=drafts, failing=unwritable_in_run, on_whole=on_whole)


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file's bytes as they lie on disk, in hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}; check its permissions") from None


def render_template(
    package: str,
    name: str,
    values: Mapping[str, Any],
    filters: Mapping[str, Any] | None = None,
    translate: Callable[[str], str] = str,
) -> str:
    """An HTML page from ``templates/<name>`` of a package: every value escaped, a missing one an error.

    Controls in a value, of direction too, are shown instead of obeyed. ``translate`` is given each text between
    ``{% trans %}`` and ``{% endtrans %}``, white space folded, with ``%(name)s`` for what it fills in.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only pages need it

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: type(value)(show_controls(value)) if isinstance(value, str) else value,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        gettext=translate,
        ngettext=lambda one, many, number: translate(one if number == 1 else many),
        newstyle=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters.update(filters or {})
    page: str = environment.get_template(name).render(values)
    return page


_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs, which hold all the files that this machine opens",
    errno.EIO: "see that the disk is sound",
    errno.EISDIR: "move away the directory of that name",
    errno.ENOTDIR: "move away the file in the place of a directory",
    errno.EACCES: "make the directory writable",
    errno.EPERM: "make the directory writable",
    errno.EROFS: "make the disk writable",
}


def words_of(error: Exception) -> str:
    """What went wrong, and with which file where that is known."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return f"{error.strerror} ({error.filename})" if error.filename else error.strerror


def remedy_of(error: Exception) -> str | None:
    """What helps, so that the same command goes on; None where nothing is known to."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL" or "no space" in str(error).casefold():
        return _REMEDIES[errno.ENOSPC]
    if name.startswith("SQLITE_IOERR"):  # SQLite does not say which
        return "see that the disk is sound and that no quota or limit of file sizes (ulimit -f) is reached"
    return _REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None


def going_on(error: Exception) -> str:
    """What helps, and that the same command then goes on."""
    return f"{remedy_of(error) or 'mend that'} and run the same command again"


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
