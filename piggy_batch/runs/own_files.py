"""Which files of a run directory a run has written itself: what lies there otherwise is somebody's, and stays.

A record of size and hash tells, written before a file takes its name. So a report that a person has mended is that
person's from then on, and so is a manifest or a table that was put there under the name of a report.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.files import UNFINISHED, sha256_of, unwritable_in_run, write_json, write_whole
from piggy_batch.runs.filenames import CLAIM, INHERITED_CLAIM, KINDS, RUN_LOGS, STDIN, SUMMARY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from piggy_batch.runs.journal_queries import JournalQueries

RECORD = ".piggy-batch-written.json"
REPORTS = ("results", "errors", "remaining", "unknown")
_LISTS = ("candidates", "credits-in-doubt", "baseline", "reconcile")
_TAKEN = re.compile(
    rf"(?:{'|'.join((*REPORTS, *_LISTS))})(?:-\d+)?\.(?:{'|'.join(KINDS)})(?:\.summary\.json)?"
    rf"|summary(?:-\d+)?\.json|{RUN_LOGS}|{re.escape(RECORD)}|journal\..+",
    re.IGNORECASE,
)
_KEPT = 8  # contents of one name: what lies there, and what kills have kept from taking its place


def run_name(journal: JournalQueries) -> str | None:
    """What a run calls itself; None: it was begun by an earlier version, which named only some."""
    name: str | None = journal.get(CLAIM) or journal.get(INHERITED_CLAIM) or journal.get("run_id")
    return name


def refuse_manifest_among_reports(manifest: Path, run_dir: Path) -> None:
    """SetupError where the manifest lies under a name that the run itself gives to what it writes."""
    if manifest == STDIN or not run_dir.is_dir():
        return
    real = manifest.resolve()
    if _TAKEN.fullmatch(real.name) and real.parent == run_dir.resolve():
        raise SetupError(
            f"{manifest}: a manifest of that name lies where this run writes its own {real.name}; move it out of "
            f"{run_dir}, or name another --run-dir. Nothing was sent"
        )


class OwnFiles:
    """The files of one run in its directory. ``run``: its name; None where it has not begun to send."""

    def __init__(self, directory: Path, run: str | None) -> None:
        self._directory = directory
        self._run = run
        self._record = directory / RECORD
        self._kept = _read(self._record)

    @classmethod
    def of(cls, journal: JournalQueries) -> OwnFiles:
        """Those of a journal's run."""
        return cls(journal.directory, run_name(journal) if journal.bound else None)

    def holds(self, path: Path) -> bool:
        """Whether what lies under that name was written by this run, or before it has sent anything."""
        if path.is_symlink() or not path.is_file():
            return False
        if self._kept is None:
            return self._is_of_earlier_version(path)
        entries = self._kept.get(path.name, [])
        size = path.stat().st_size
        likely = [e for e in entries if e["size"] == size and e.get("run") in (None, self._run)]
        with suppress(SetupError):  # what cannot be read any more is not as it was written
            return bool(likely) and sha256_of(path) in {e["sha256"] for e in likely}
        return False

    def place(self, stem: str, kind: str) -> Path:
        """The name for a file: its plain one, or where that is somebody else's the first of ``stem-2``, ``stem-3`` …"""
        number, path = 1, self._directory / f"{stem}.{kind}"
        while _is_there(path) and not self.holds(path):
            number += 1
            path = self._directory / f"{stem}-{number}.{kind}"
        return path

    def claim(self, path: Path, draft: Path) -> None:
        """As :meth:`note`; JournalError where somebody has put something there since :meth:`place` has named it."""
        if _is_there(path) and not self.holds(path):
            raise JournalError(
                f"{path} was put there while this run wrote its own; nothing is lost: run the same command again, "
                "which writes it beside",
                goes_on=True,
            )
        self.note(path, draft)

    def note(self, path: Path, draft: Path) -> None:
        """Write down that ``draft`` is about to become ``path``; on disk on return."""
        kept = self._of_earlier_version() if self._kept is None else self._kept
        kept[path.name] = [*kept.get(path.name, []), self._entry(draft)][-_KEPT:]
        text = json.dumps({"files": kept}, indent=1)
        write_whole(self._record, text.encode(), drafts=self._directory / UNFINISHED, failing=unwritable_in_run)
        self._kept = kept

    def remove(self, path: Path) -> None:
        """Remove a file if it is this run's."""
        if self.holds(path):
            path.unlink(missing_ok=True)

    def named(self, *stems: str) -> Iterator[Path]:
        """The files that may be this run's, by their names."""
        known = set(self._kept or ()) | {f"{stem}.{kind}" for stem in stems for kind in KINDS}
        for name in sorted(known):
            if re.fullmatch(rf"(?:{'|'.join(map(re.escape, stems))})(?:-\d+)?\.[a-z]+", name):
                yield self._directory / name

    def summary(self) -> dict[str, Any]:
        """The run's summary that lies there; empty where there is none, or none that can be read."""
        with suppress(OSError, ValueError):
            told = json.loads(self.place(*SUMMARY.split(".")).read_text(encoding="utf-8"))
            return told if isinstance(told, dict) else {}
        return {}

    def write_json(self, stem: str, data: dict[str, Any]) -> Path:
        """Write a JSON file of the run, whole or not at all; where it lies."""
        path = self.place(stem, "json")
        write_json(path, data, drafts=self._directory / UNFINISHED, on_whole=lambda draft: self.claim(path, draft))
        for other in self.named(stem):
            if other != path:
                self.remove(other)
        return path

    def _entry(self, path: Path) -> dict[str, Any]:
        return {"size": path.stat().st_size, "sha256": sha256_of(path), "run": self._run}

    def _of_earlier_version(self) -> dict[str, list[dict[str, Any]]]:
        paths = [self._directory / SUMMARY, *self.named(*REPORTS)]
        return {path.name: [self._entry(path)] for path in paths if self.holds(path)}

    def _is_of_earlier_version(self, path: Path) -> bool:
        """Version 0.1 kept no record. It wrote the summary last, so what has been changed since is somebody's."""
        with suppress(OSError, ValueError):
            summary = self._directory / SUMMARY
            told = json.loads(summary.read_text(encoding="utf-8"))
            if not isinstance(told, dict) or not {"operation", "counts", "exit_code"} <= told.keys():
                return False
            last, found = summary.stat(), path.stat()
            return found.st_mtime_ns <= last.st_mtime_ns and found.st_ctime_ns <= last.st_ctime_ns
        return False


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _read(record: Path) -> dict[str, list[dict[str, Any]]] | None:
    """What was written by name; None where there is no record. One that is damaged says nothing of any file."""
    try:
        held = json.loads(record.read_text(encoding="utf-8"))["files"]
        return {
            str(name): [dict(e) for e in entries if {"size", "sha256"} <= e.keys()] for name, entries in held.items()
        }
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
