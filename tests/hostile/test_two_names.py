"""The same rows on other ways: another address of the service, another wrapping of the list."""

from __future__ import annotations

import gzip
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Program, needed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.service import HostileService

pytestmark = pytest.mark.process
CREATE = ("giftcards", "create", "--yes", "--rate", "0", "--no-progress")


def giftcards(program: Program, service: HostileService, folder: str) -> Path:
    """A list of three cards to be made, in a folder of its own."""
    (program.folder / folder).mkdir()
    rows = (f"{service.uuid_of_program()},{number}" for number in range(3))
    return program.manifest(f"{folder}/vouchers.csv", "giftcard_program_uuid,order", rows)


@pytest.mark.hostile("18.3 two names of one service have two records")
def test_two_names_of_one_service(program: Program, service: HostileService) -> None:
    """One list by 127.0.0.1, then its copy by localhost: the same account, so it is refused and no card is made."""
    first, copy = giftcards(program, service, "a"), giftcards(program, service, "b")
    needed(program.run(*CREATE, first, url=service.url).code == 0)
    needed(service.effects["giftcards.create"] == 3)
    again = program.run(*CREATE, copy, url=f"http://localhost:{service.port}")
    assert (again.code, service.effects["giftcards.create"]) == (2, 3)


@pytest.mark.hostile("18.19 the same rows in another wrapping, or by way of a tunnel, are sent twice")
@pytest.mark.parametrize("name", ["vouchers.csv.gz", "mended.csv"])
def test_the_same_rows_in_another_wrapping(program: Program, service: HostileService, name: str) -> None:
    """Packed, or with other line ends and another name: the same rows, so no card is made again."""
    first = giftcards(program, service, "a")
    needed(program.run(*CREATE, first, url=service.url).code == 0)
    text = first.read_bytes()
    (program.folder / "b").mkdir()
    other = program.folder / "b" / name
    other.write_bytes(gzip.compress(text) if name.endswith(".gz") else text.replace(b"\n", b"\r\n"))
    again = program.run(*CREATE, other, url=service.url)
    assert (again.code, service.effects["giftcards.create"]) == (2, 3)


@pytest.mark.hostile("18.19 the same rows in another wrapping, or by way of a tunnel, are sent twice")
def test_a_tunnel_to_the_live_service(program: Program, make_service: Callable[..., HostileService]) -> None:
    """An address on this machine is no proof of a rehearsal: the account's run is known after its directory is gone."""
    tunnel = make_service(company="Bloemen & Zo", account_uuid="7d1e2c4a-1111-4222-8333-94a5b6c7d8e9")
    first = giftcards(program, tunnel, "a")
    needed(program.run(*CREATE, first, url=tunnel.url).code == 0)
    shutil.rmtree(first.with_name("vouchers.giftcards-create"))
    again = program.run(*CREATE, first, url=tunnel.url)
    assert (again.code, tunnel.effects["giftcards.create"]) == (2, 3)
