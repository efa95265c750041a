"""How random rows of a manifest stand in the account, before anything is sent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from piggy_batch.client.rate_limiter import Rate
from piggy_batch.errors import HaltError
from piggy_batch.importing.options import ImportOptions
from piggy_batch.importing.verification.account_sample import AccountSample, choose, compare_sample
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop
from tests.support.world import in_virtual_time


def compare(shop: Shop, path: Path, number: int = 100) -> AccountSample:
    """Look so many rows up."""
    options = ImportOptions(connection=ConnectionOptions(Rate(0.0)))
    work = compare_sample(path, number, options, shop.world.context(), rng=random.Random(1))
    return in_virtual_time(work, shop.world.time)


def test_figures(shop: Shop) -> None:
    """How many exist, are linked, inactive, or belong to somebody else; nothing changes."""
    shop.world.till("create", "A-1", email="customer1@example.test")
    shop.world.till("create", "A-2", email="customer2@example.test")
    shop.world.till("create", "A-3")
    shop.world.till("create", "A-4", email="customer1@example.test")
    shop.world.till("deactivate", "A-4")
    path = shop.manifest(*[[f"A-{n}", "customer1@example.test", "Gold"] for n in range(1, 6)])
    sample = compare(shop, path)
    assert (sample.rows, sample.looked, sample.missing, sample.exist) == (5, 5, 1, 4)
    assert (sample.linked, sample.unlinked, sample.inactive, sample.elsewhere) == (3, 1, 1, 1)
    assert "customer2@example.test" in sample.examples[0]
    assert shop.world.effects == 0


def test_cards_whose_owner_is_not_shown(shop: Shop) -> None:
    """An inactive card of which the row names no owner is neither linked nor unlinked; the figures still add up."""
    shop.world.till("create", "A-1", email="customer1@example.test")
    shop.world.till("create", "A-2")
    shop.world.till("create", "A-3")
    shop.world.till("deactivate", "A-3")
    lines = compare(shop, shop.manifest(["A-1", "customer1@example.test"], ["A-2"], ["A-3"])).lines()
    figures = {words.strip(): int(number) for words, number in (line.rsplit(None, 1) for line in lines[1:])}
    assert figures["exist"] == 3
    parts = ("linked to a contact", "linked to nobody", "inactive, their owner not shown")
    assert [figures[part] for part in parts] == [1, 1, 1]
    assert figures["inactive, of all these"] == 1


def test_a_sample_is_random_and_of_that_size(shop: Shop) -> None:
    """Every row is as likely as any other."""
    path = shop.manifest(*[[f"A-{n}"] for n in range(50)])
    drawn: Counter[str] = Counter()
    for seed in range(200):
        rows, values = choose(path, 5, ImportOptions(), random.Random(seed))
        assert (rows, len(values)) == (50, 5)
        drawn.update(v["contact_identifier_value"] for v in values)
    assert len(drawn) == 50
    assert max(drawn.values()) < 4 * min(drawn.values())


def test_words(shop: Shop) -> None:
    """The figures for people name account and sample."""
    lines = compare(shop, shop.manifest(["A-1"], ["A-2"]), 1).lines()
    assert lines[0] == (
        "against the account Sandbox Shop (5a4db0c5-0000-4000-a000-000000000001): 1 random of 2 rows looked up, "
        "nothing changed"
    )


def test_a_refused_token_halts(make_shop: Callable[..., Shop]) -> None:
    """No figures where the service stops answering."""
    shop = make_shop(faults=(Fault("unauthorized", path="find"),))
    with pytest.raises(HaltError):
        compare(shop, shop.manifest(["A-1"]))
