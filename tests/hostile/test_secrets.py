"""What must not be shown as it came: controls of direction, and secrets that stand in the wrong place."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import TOKEN, Program, needed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.service import HostileService

pytestmark = pytest.mark.process
SHOWN = pytest.mark.hostile("18.21 controls of direction, an open token file or a secret in the wrong option")
PACE = ("--rate", "0", "--no-progress")
TURNING = "\u202e\u2066\u2069\u200f\u061c"  # right to left override, isolates, marks
SECRET = "sk-another-Secret-0123456789"


@SHOWN
@pytest.mark.parametrize("page", ["sign-off", "check"])
def test_a_name_that_turns_the_text_around_it(
    program: Program, make_service: Callable[..., HostileService], page: str
) -> None:
    """In a page that somebody signs or sends on, it is seen and does nothing."""
    service = make_service(company=f"Shop{TURNING}knab")
    target = program.folder / "page.html"
    path = program.manifest(f"{TURNING}knab.csv", "contact_identifier_value", ["CARD-000001", "12345", "12"])
    if page == "sign-off":
        program.run("identifiers", "verify", path, *PACE, "--report", target, url=service.url)
    else:
        program.run("check", path, "--for", "identifiers create", "--html", target)
    needed(target.exists())
    text = unescape(target.read_text(encoding="utf-8"))
    needed("knab" in text)
    assert not set(TURNING) & set(text)


@SHOWN
def test_a_token_file_that_others_can_read(program: Program, service: HostileService) -> None:
    """Somebody is told which file it is; of a private one nothing is said."""
    said = []
    for mode in (0o644, 0o600):
        path = program.folder / f"token-{mode:o}"
        path.write_text(TOKEN)
        path.chmod(mode)
        done = program.run("ping", "--token-file", path, url=service.url, PIGGY_TOKEN=None)
        needed(done.code == 0)
        said.append(path.name in done.err)
    assert said == [True, False]


@SHOWN
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--base-url", SECRET),
        ("--token-file", SECRET),
        ("--ca-file", SECRET),
        ("--timeout", TOKEN),
    ],
)
def test_a_secret_in_the_wrong_option(program: Program, option: str, value: str) -> None:
    """It is refused, and what was typed is not repeated."""
    words = (option, value, *(("--base-url", "https://api.example.test") if option != "--base-url" else ()))
    done = program.run("ping", *words, PIGGY_TOKEN=None if option == "--token-file" else TOKEN)
    needed(done.code == 2)
    assert not any(secret in done.said.lower() for secret in (SECRET.lower(), TOKEN.lower()))
