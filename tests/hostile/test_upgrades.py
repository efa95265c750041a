"""Libraries of the program after an upgrade that renames what they never promised to keep."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.hostile.program import TREE, Program, needed, statuses
from tests.hostile.service import Answer, Request

if TYPE_CHECKING:
    from tests.hostile.service import HostileService

pytestmark = pytest.mark.process
ROWS = 2


def upgraded(folder: Path, library: str, private: str) -> Path:
    """A folder with a copy of an installed library in which a private name is another throughout."""
    found = importlib.util.find_spec(library)
    needed(found is not None and found.origin, library)
    assert found is not None
    copy = folder / "upgraded" / library
    shutil.copytree(Path(str(found.origin)).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    renamed = 0
    for path in copy.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if private in text:
            path.write_text(text.replace(private, f"{private}_of_ours"), encoding="utf-8")
            renamed += 1
    needed(renamed, private)
    return copy.parent


@pytest.mark.hostile("18.20 a guard rests on private parts of a library that an upgrade takes away")
def test_an_answer_too_many_after_an_upgrade(program: Program, service: HostileService) -> None:
    """Two answers to one request: the second is nobody's, whatever the library calls its parts. Taken for the next
    request's, it makes a card that was refused to a customer count as sent."""

    async def hook(request: Request) -> Answer | bytes | None:
        if request.method != "POST":
            return None
        if len(service.asked("POST", "")) > 1:
            return Answer(400, {"code": 1003, "message": "no such contact", "status_code": 400})
        sent = Answer(200, {"data": "Email successfully sent", "meta": {}}).to_bytes()
        return sent + sent

    service.hook = hook
    path = program.manifest("send.csv", "giftcard_uuid,contact_uuid", (f"{uuid4()},{uuid4()}" for _ in range(ROWS)))
    paths = os.pathsep.join(map(str, (upgraded(program.folder, "httpcore", "_h11_state"), TREE)))
    words = ("giftcards", "send", "--yes", "--rate", "0", "--no-progress", "--concurrency", "1", path)
    program.run(*words, url=service.url, PYTHONPATH=paths)
    needed(len(service.asked("POST", "")) == ROWS)
    assert statuses(path.with_name("send.giftcards-send")) == {"done": 1, "rejected": 1}
