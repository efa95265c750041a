"""Clean files give no finding at all, whatever their codes look like."""

from __future__ import annotations

import datetime as dt
import random
import string
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piggy_batch.manifest.doctor import ColumnRole, Examined, Examiner, Finding

ALPHABETS = {
    "digits": string.digits,
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "upper and digits": string.ascii_uppercase + string.digits,
    "lower and digits": string.ascii_lowercase + string.digits,
    "all": string.ascii_letters + string.digits,
    "hexadecimal": "0123456789abcdef",
    "E and digits": "0123456789E",
    "base64": string.ascii_letters + string.digits + "-_",
}


def findings_of(values: list[str], role: ColumnRole = ColumnRole.IDENTIFIER, batch: int = 500) -> list[Finding]:
    examiner = Examiner(["code"], [Examined("code", role, 0)])
    rows = [(number, number + 1, [value]) for number, value in enumerate(values, start=1)]
    for start in range(0, len(rows), batch):
        assert examiner.feed(rows[start : start + batch]) == []
    return examiner.findings()


def ean13(random_: random.Random) -> str:
    body = "".join(random_.choice(string.digits) for _ in range(12))
    return body + str(-sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(body))) % 10)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    alphabet=st.sampled_from(sorted(ALPHABETS)),
    width=st.integers(4, 32),
    rows=st.integers(1, 400),
)
def test_random_codes_of_one_width_are_clean(seed: int, alphabet: str, width: int, rows: int) -> None:
    """Codes drawn at random from any usual alphabet, all of one width, give no finding."""
    random_ = random.Random(seed)
    values = ["".join(random_.choices(ALPHABETS[alphabet], k=width)) for _ in range(rows)]
    assert findings_of(values) == []
    assert findings_of(values, ColumnRole.HASH) == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 400))
def test_random_eans_are_clean(seed: int, rows: int) -> None:
    """Sound EAN-13 numbers, leading zeros included, give no finding."""
    random_ = random.Random(seed)
    assert findings_of([ean13(random_) for _ in range(rows)]) == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 400), upper=st.booleans())
def test_random_uuids_are_clean(seed: int, rows: int, upper: bool) -> None:
    """UUIDs in either case give no finding, in a column of UUIDs and in one of codes."""
    random_ = random.Random(seed)
    values = [str(uuid.UUID(int=random_.getrandbits(128))) for _ in range(rows)]
    values = [value.upper() for value in values] if upper else values
    assert findings_of(values, ColumnRole.UUID) == []
    assert findings_of(values) == []


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(20, 400),
    shape=st.sampled_from(
        ["##-##-####", "##.##.####", "##/##/####", "####-##-##", "#-@@@", "@@@-##", "##-##-##", "##.##.##"]
    ),
)
def test_codes_that_are_written_as_dates_are_clean(seed: int, rows: int, shape: str) -> None:
    """A column's own way to write its numbers is not taken for dates, though one or the other may be a day."""
    random_ = random.Random(seed)
    drawn = {"#": string.digits, "@": string.ascii_uppercase}
    values = ["".join(random_.choice(drawn.get(sign, sign)) for sign in shape) for _ in range(rows)]
    assert findings_of(values) == []


@settings(max_examples=40, deadline=None)
@given(days=st.lists(st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)), min_size=1, max_size=40), data=st.data())
def test_every_day_is_found_among_numbers(days: list[dt.date], data: st.DataObject) -> None:
    """Whatever the day and the form, and in batches of any size: as many as there are, the first three shown."""
    forms = ["{0:%Y-%m-%d}", "{0:%Y-%m-%dT00:00:00}", "{0.day}/{0.month}/{0:%Y}", "{0:%m/%d/%Y}", "{0:%d.%m.%Y}"]
    values = [data.draw(st.sampled_from(forms)).format(day) for day in days] + ["13-45", "60-1", "77"]
    data.draw(st.randoms(use_true_random=False)).shuffle(values)
    (found,) = findings_of(values, batch=data.draw(st.sampled_from([1, 7, 500])))
    assert (found.code, found.count) == ("MD108", len(days))
    assert [e.value for e in found.examples] == [v for v in values if len(v) > 5][:3]


FIRST = [
    "Jan",
    "Zoë",
    "Søren",
    "José",
    "Anne-Marie",
    "'t",
    "'s-Gravenhage",
    "O'Neill",
    "Na",
    "Nannie",
    "Иван",
    "雪",
    "X Æ",
    "Fin",
    "Ende",
    "Total Energies",
    "Bakkerij Totaal",
    "Stand 12",
    "3 Gebroeders",
    "7-Eleven",
    "Rapport",
    "N.V. Jansen",
    "Infinity Nails",
    "M*A*S*H",
    "50% korting",
    'Jan "Johnny" de V.',
    "Rien",
    "@home",
]
LAST = ["de Vries", "Müller", "D'Angelo", "van 't Hoff", "Unknownson", "Null-Hansen", "Fine", "Leermans", "#1 fan", ""]


@settings(max_examples=60, deadline=None)
@given(names=st.lists(st.tuples(st.sampled_from(FIRST), st.sampled_from(LAST)), min_size=1, max_size=600))
def test_names_are_clean(names: list[tuple[str, str]]) -> None:
    """Names of people and places, in any script and with apostrophes, give no finding."""
    assert findings_of([" ".join(part for part in name if part) for name in names], ColumnRole.TEXT) == []


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.tuples(st.sampled_from(FIRST), st.sampled_from(LAST)), min_size=1, max_size=600),
    read=st.booleans(),
)
def test_rows_that_begin_with_names_are_clean(names: list[tuple[str, str]], read: bool) -> None:
    """Nor is one of them taken for a total or a footer, whether the column is read or not."""
    columns = [Examined("naam", ColumnRole.TEXT, 0)] if read else []
    examiner = Examiner(["naam", "code"], [*columns, Examined("code", ColumnRole.IDENTIFIER, 1)])
    rows = [(n, n + 1, [" ".join(filter(None, name)), f"KA-{n:06d}"]) for n, name in enumerate(names, start=1)]
    assert examiner.feed(rows) == []
    assert examiner.findings() == []


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.one_of(st.integers(0, 10**9).map(str), st.sampled_from(["true", "false", "12.5", "-3", ""]))))
def test_numbers_and_truth_values_are_clean(values: list[str]) -> None:
    """Amounts, balances and words for true and false give no finding."""
    assert findings_of(values, ColumnRole.VALUE) == []


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), batch=st.sampled_from([1, 7, 64, 500]))
def test_batches_do_not_matter(seed: int, batch: int) -> None:
    """The same rows in batches of any size give the same findings, examples included."""
    random_ = random.Random(seed)
    spoilt = ["8E12", "12345", "", "ABC", "123456789012", "12345678O0", "2024-01-02", "3/5/2024"]
    values = [f"{random_.randrange(10**10):010d}" for _ in range(120)]
    for value in spoilt:
        values.insert(random_.randrange(len(values)), value)
    assert findings_of(values, batch=batch) == findings_of(values, batch=10_000)


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize("length", [16, 400, 4_000, 131_072])
@pytest.mark.parametrize("rows", [1, 60])
def test_a_number_of_nothing_but_zeros_is_told(length: int, rows: int) -> None:
    """However long it is, it is found to be cut, or has nothing the matter with it; the doctor survives it."""
    found = findings_of(["0" * length] * rows)
    assert {finding.code for finding in found} <= {"MD104"}
    assert found or length == 16


def test_space_around_a_name_is_pointed_out() -> None:
    """In front or at the end, in one of many rows: the service may keep the name without it; inner space is its own."""
    names = ["Jan de Vries"] * 700
    names[10], names[650] = "Gold card ", "\tSilver"
    (finding,) = findings_of(names, ColumnRole.TEXT)
    assert (finding.slug, finding.count, finding.blocking) == ("outer-space", 2, False)
    assert [example.proposal for example in finding.examples] == ["Gold card", "Silver"]
