"""What a run leaves to read: errors that are true no longer, and files of others under the names of its reports."""

from __future__ import annotations

import asyncio
import csv
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed, rows_of, wait_until
from tests.hostile.service import Answer, Request

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile.service import HostileService

pytestmark = pytest.mark.process
PACE = ("--yes", "--rate", "0", "--no-progress", "--concurrency", "1")
CREATE = ("giftcards", "create", *PACE)
ROWS = 3


class Refusing:
    """Refuses every card until it is told otherwise; then holds the one after ``held_after`` for ever."""

    def __init__(self, service: HostileService) -> None:
        self.refuse = True
        self.held_after = 0
        self._service = service
        service.hook = self._hook

    async def _hook(self, request: Request) -> Answer | None:
        if request.method != "POST":
            return None
        if self.refuse:
            return Answer(400, {"code": 1003, "message": "not today", "status_code": 400})
        if self.held_after and self.made == self.held_after:
            await asyncio.Event().wait()
        return None

    @property
    def made(self) -> int:
        """Cards that the service has made."""
        return self._service.effects["giftcards.create"]


@pytest.fixture
def refusing(service: HostileService) -> Refusing:
    """The service, unwilling."""
    return Refusing(service)


def refused(program: Program, service: HostileService) -> Path:
    """The list of a run of which every row was refused."""
    rows = (f"{service.uuid_of_program()},{number}" for number in range(ROWS))
    path = program.manifest("vouchers.csv", "giftcard_program_uuid,order", rows)
    needed(program.run(*CREATE, path, url=service.url).code == 1)
    needed(len(rows_of(directory(path), "errors")) == ROWS)
    return path


def directory(path: Path) -> Path:
    """Where the run of a list lives."""
    return path.with_name(f"{path.stem}.giftcards-create")


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["kill", "two interrupts"])
def test_errors_after_refused_rows_were_taken_again(
    program: Program, service: HostileService, refusing: Refusing, end: signal.Signals
) -> None:
    """--retry-rejected, and an end in the middle: no card that was made is listed as certainly not made."""
    path = refused(program, service)
    refusing.refuse, refusing.held_after = False, 2
    again = program.start(*CREATE, path, "--retry-rejected", url=service.url)
    wait_until(lambda: len(service.asked("POST", "/giftcards")) == ROWS + 3)
    again.send_signal(end)
    if end == signal.SIGINT:
        time.sleep(0.3)  # two at once would be one
        again.send_signal(end)
    program.end(again)
    needed(refusing.made == 2)
    listed = rows_of(directory(path), "errors")
    assert len(listed) <= ROWS - refusing.made


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
@pytest.mark.parametrize("change", ["sorted", "typed by hand"])
def test_a_manifest_made_of_errors_that_were_taken_again(
    program: Program, service: HostileService, refusing: Refusing, change: str
) -> None:
    """A copy of the errors, mended by hand, after the run has carried its rows out: nothing is made again."""
    path = refused(program, service)
    mended = program.folder / "mended.csv"
    shutil.copy(directory(path) / "errors.csv", mended)
    if change == "sorted":
        reordered(mended)
    if change == "typed by hand":
        mended.write_bytes(mended.read_bytes().replace(b"giftcards create", b"Giftcards Create"))
    refusing.refuse = False
    needed(program.run(*CREATE, path, "--retry-rejected", url=service.url).code == 0)
    needed(refusing.made == ROWS)
    again = program.run(*CREATE, mended, url=service.url)
    assert (again.code, refusing.made) == (2, ROWS)


def reordered(path: Path) -> None:
    """As a spreadsheet leaves a list that was sorted by its last column: rows and columns in another order."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerows(line[::-1] for line in (header, *rows[::-1]))


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
@pytest.mark.parametrize("name", ["results.csv", "errors.csv", "remaining.csv"])
def test_a_manifest_under_the_name_of_a_report(program: Program, service: HostileService, name: str) -> None:
    """In the very run directory: it is there afterwards, to the byte."""
    (program.folder / "run").mkdir()
    path = program.cards(f"run/{name}", ROWS)
    text = path.read_bytes()
    program.run("identifiers", "create", *PACE, path, "--run-dir", path.parent, url=service.url)
    assert content(path) == text


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_errors_that_an_operator_has_mended(program: Program, service: HostileService, refusing: Refusing) -> None:
    """In their place: the same command leaves them as they are."""
    path = refused(program, service)
    errors = directory(path) / "errors.csv"
    errors.write_bytes(errors.read_bytes().replace(b"not today", b"asked Ann: send it"))
    text = errors.read_bytes()
    refusing.refuse = False
    program.run(*CREATE, path, "--retry-rejected", url=service.url)
    assert content(errors) == text


@pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since")
def test_a_manifest_that_holds_a_row_of_a_pile_twice(
    program: Program, service: HostileService, refusing: Refusing
) -> None:
    """Two copies of the errors, put together by hand: no row of them is carried out twice."""
    path = refused(program, service)
    errors = (directory(path) / "errors.csv").read_text(encoding="utf-8")
    mended = program.folder / "mended.csv"
    mended.write_text(errors + "".join(errors.splitlines(keepends=True)[1:]), encoding="utf-8")
    refusing.refuse = False
    again = program.run(*CREATE, mended, url=service.url)
    assert (again.code, refusing.made) == (2, 0)


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_what_somebody_else_has_put_there(program: Program, service: HostileService) -> None:
    """Tables, a log, and a link to a file elsewhere, in the run directory before the first start: they stay as they
    are, and the run does its work beside them."""
    path = program.cards("cards.csv", ROWS)
    run_dir, victim = program.folder / "run", program.folder / "victim"
    run_dir.mkdir()
    theirs = [run_dir / name for name in ("errors.xlsx", "remaining.csv", "summary.json", "run.log")]
    for place in (*theirs, victim):
        place.write_bytes(b"my own notes")
    (run_dir / "results.csv").symlink_to(victim)
    done = program.run("identifiers", "create", *PACE, path, "--run-dir", run_dir, url=service.url)
    needed(service.effects["identifiers.create"] == ROWS)
    assert [place.name for place in (*theirs, victim) if content(place) != b"my own notes"] == []
    assert (run_dir / "results.csv").is_symlink()
    assert done.code == 0


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_a_link_in_the_place_of_the_log(program: Program, service: HostileService) -> None:
    """What it points to is not written to."""
    path = program.cards("cards.csv", ROWS)
    victim = program.folder / "victim"
    victim.write_bytes(b"my own notes")
    (program.folder / "run").mkdir()
    (program.folder / "run" / "run.log").symlink_to(victim)
    program.run("identifiers", "create", *PACE, path, "--run-dir", program.folder / "run", url=service.url)
    needed(service.effects["identifiers.create"] == ROWS)
    assert content(victim) == b"my own notes"


def content(path: Path) -> bytes:
    """Of a file; none where it is gone."""
    return path.read_bytes() if path.is_file() else b""
