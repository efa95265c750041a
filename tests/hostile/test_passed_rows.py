"""A row that passes from run to run by way of a pile of errors: whichever of the runs carries it out, no other does."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.hostile.program import Ended, needed, rows_of, statuses
from tests.hostile.service import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.program import Program
    from tests.hostile.service import HostileService, Request

pytestmark = [
    pytest.mark.process,
    pytest.mark.hostile("18.9 a pile lists as not carried out what was carried out since"),
]
ROWS = 3


class Loads:
    """Loads of giftcards that the service refuses until it is told otherwise."""

    def __init__(self, program: Program, service: HostileService) -> None:
        self.program, self.service = program, service
        self.refusing = True
        service.hook = self._refuse
        cards = service.sandbox.world.cards
        shop = service.sandbox.world.ledger.shops[1].uuid
        fit = [card for card in map(cards.get, range(1, 101)) if card and card.upgradeable and card.active]
        rows = (f"{card.uuid},500,{shop}" for card in fit[:ROWS])
        self.first = program.manifest("loads.csv", "giftcard_uuid,amount_in_cents,shop_uuid", rows)
        needed(self.run(self.first).code == 1)
        needed(statuses(self.dir(self.first)) == {"rejected": ROWS})

    async def _refuse(self, request: Request) -> Answer | None:
        refused = self.refusing and request.asks("POST", "/giftcard-transactions")
        return Answer(400, {"code": 1003, "message": "no"}) if refused else None

    def run(self, manifest: Path, *words: str) -> Ended:
        """One invocation."""
        return self.program.run(
            *("giftcards", "load", manifest, "--yes", "--rate", "0", "--no-progress"), *words, url=self.service.url
        )

    @staticmethod
    def dir(manifest: Path) -> Path:
        """Where the run of a manifest lives."""
        return manifest.with_name(f"{manifest.stem}.giftcards-load")

    def mended(self, manifest: Path, name: str) -> Path:
        """The errors of a run under a name of their own, with another amount: mended by hand."""
        path = self.program.folder / name
        needed(len(rows_of(self.dir(manifest), "errors")) == ROWS)
        text = (self.dir(manifest) / "errors.csv").read_text(encoding="utf-8")
        path.write_text(re.sub(r",\d+00,", f",{len(name)}00,", text), encoding="utf-8")
        return path

    @property
    def moved(self) -> int:
        """How many loads the service has carried out."""
        return self.service.effects["giftcards.load"]


@pytest.fixture
def loads(program: Program, make_service: Callable[..., HostileService]) -> Loads:
    """A run that has ended with every row refused."""
    return Loads(program, make_service(giftcards=100, top_up_once=False))


def test_the_run_does_not_take_up_again_what_its_mended_errors_have_carried_out(loads: Loads) -> None:
    """Refused, mended and passed as a new manifest; then --retry-rejected in the first run."""
    mended = loads.mended(loads.first, "mended.csv")
    loads.refusing = False
    needed(loads.run(mended).code == 0)
    again = loads.run(loads.first, "--retry-rejected")
    assert (again.code, loads.moved) == (2, ROWS), again.err


def test_errors_that_were_mended_twice_are_carried_out_once(loads: Loads) -> None:
    """Two people mend the same pile, each in their way."""
    one, two = loads.mended(loads.first, "anna.csv"), loads.mended(loads.first, "bert.mended.csv")
    loads.refusing = False
    needed(loads.run(one).code == 0)
    again = loads.run(two)
    assert (again.code, loads.moved) == (2, ROWS), again.err


def test_rows_that_are_mended_again_and_again_are_carried_out_once(loads: Loads) -> None:
    """Refused in the first run and in the second, carried out in the third; then the first and the second go on."""
    second = loads.mended(loads.first, "second.csv")
    needed(loads.run(second).code == 1)
    third = loads.mended(second, "third-time.csv")
    loads.refusing = False
    needed(loads.run(third).code == 0)
    again = [loads.run(manifest, "--retry-rejected").code for manifest in (loads.first, second)]
    assert (again, loads.moved) == ([2, 2], ROWS)


def test_what_the_first_run_has_carried_out_is_not_in_the_errors_of_the_second(loads: Loads) -> None:
    """Refused in both, then carried out by the first: the second's pile is no manifest any more."""
    second = loads.mended(loads.first, "second.csv")
    needed(loads.run(second).code == 1)
    third = loads.mended(second, "third-time.csv")
    loads.refusing = False
    needed(loads.run(loads.first, "--retry-rejected").code == 0)
    again = [loads.run(third).code, loads.run(second, "--retry-rejected").code]
    assert (again, loads.moved) == ([2, 2], ROWS)


def test_a_run_that_took_rows_over_and_is_gone_may_have_carried_them_out(loads: Loads) -> None:
    """Its directory was thrown away: nobody can say."""
    mended = loads.mended(loads.first, "mended.csv")
    loads.refusing = False
    needed(loads.run(mended).code == 0)
    shutil.rmtree(loads.dir(mended))
    again = loads.run(loads.first, "--retry-rejected")
    assert (again.code, loads.moved) == (2, ROWS), again.err
