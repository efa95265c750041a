"""A service, or a gateway before it, that repeats the request's Authorization header in what it answers."""

from __future__ import annotations

import base64
import html
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

import pytest

from tests.hostile.program import TOKEN, Ended, Program, needed
from tests.hostile.service import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.hostile.service import HostileService, Request

pytestmark = pytest.mark.process
SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda text: text,
    "percent-encoded": lambda text: "".join(f"%{ord(c):02X}" for c in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "as a page writes it": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "split by line ends": lambda text: "\r\n".join(text[n : n + 20] for n in range(0, len(text), 20)),
}
LINE_ENDS = re.compile(rb"\s+|\\+[nrt]")


def readings(text: bytes) -> Iterator[bytes]:
    """What stands there, and what anybody makes of it in one step."""
    yield text
    yield LINE_ENDS.sub(b"", text)
    yield unquote_to_bytes(text)
    yield html.unescape(text.decode("latin-1")).encode("latin-1", "replace")


def places_of(token: str, ended: Ended, folder: Path) -> list[str]:
    """Where the token is repeated: standard output, standard error, and every file below the folder."""
    raw = token.encode()
    wanted = [raw, raw.hex().encode(), *(base64.b64encode(b"x" * n + raw)[4:-4] for n in range(3))]
    texts = {"stdout": ended.out.encode(), "stderr": ended.err.encode()}
    texts |= {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [
        place for place, text in texts.items() if any(one in reading for reading in readings(text) for one in wanted)
    ]


@pytest.mark.hostile("18.10 a token that is repeated by the service is stored or shown")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_token_that_is_repeated(program: Program, service: HostileService, spelling: str) -> None:
    """In an error's text, on a debug page, in a made card's name, in a redirect: kept in no file, shown nowhere."""

    async def echo(request: Request) -> Answer | None:
        said = SPELLINGS[spelling](request.headers["authorization"])
        match len(service.asked("POST", "/contact-identifiers")) if request.method == "POST" else 0:
            case 1:
                value = request.data["contact_identifier_value"]
                return Answer(200, {"data": {"value": value, "name": said, "active": True, "contact": None}})
            case 2:
                return Answer(422, {"message": f"bad: {said}", "code": 99999, "errors": {said: [said]}})
            case 3:
                return Answer(500, f"<pre>{said}</pre>".encode())
            case 4:
                return Answer(302, b"", {"Location": f"/login?back={quote(said)}"})
        return None

    service.hook = echo
    cards, run_dir = program.cards("cards.csv", 4), program.folder / "run"
    words = ("--rate", "0", "--attempts", "1", "--concurrency", "1", "--no-progress", "-v", "--run-dir", run_dir)
    ended = program.run("identifiers", "create", cards, *words, url=service.url)
    needed(ended.code == 3, ended)
    needed(len(service.asked("POST", "/contact-identifiers")) == 4)
    assert places_of(TOKEN, ended, program.folder) == []


ODD = """s3cr3t"T0ken\\that&nobody'may+see/ever="""


@pytest.mark.hostile("18.10 a token that is repeated by the service is stored or shown")
def test_a_token_of_odd_characters_that_is_repeated(
    program: Program, make_service: Callable[..., HostileService]
) -> None:
    """Quotes, a backslash, an ampersand: JSON writes them otherwise, a page too, and a page may be in UTF-16."""
    service = make_service(token=ODD)

    async def echo(request: Request) -> Answer | None:
        said = request.headers["authorization"]
        match len(service.asked("POST", "/contact-identifiers")) if request.method == "POST" else 0:
            case 1:
                return Answer(422, {"message": f"bad: {said}", "code": 99999})
            case 2:
                return Answer(500, f"<pre>{html.escape(said)}</pre>".encode())
            case 3:
                return Answer(422, {"message": f"bad: {html.escape(said)}", "code": 99999})
            case 4:
                return Answer(500, f"<pre>{said}</pre>".encode("utf-16"))
        return None

    service.hook = echo
    cards, run_dir = program.cards("cards.csv", 4), program.folder / "run"
    words = ("--rate", "0", "--attempts", "1", "--concurrency", "1", "--no-progress", "-v", "--run-dir", run_dir)
    ended = program.run("identifiers", "create", cards, *words, url=service.url, PIGGY_TOKEN=ODD)
    needed(len(service.asked("POST", "/contact-identifiers")) >= 4, ended)
    texts = [ended.said, *(path.read_bytes().decode("latin-1") for path in program.folder.rglob("*") if path.is_file())]
    assert [text[-200:] for text in texts if "s3cr3t" in re.sub(r"\\x00|[\0\s]", "", text)] == []
