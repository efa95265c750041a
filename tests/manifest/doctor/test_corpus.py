"""Small damaged files, and exactly what the doctor says of each. corpus.json tells what is the matter with it."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import islice
from pathlib import Path

import pytest

from piggy_batch.manifest.doctor import (
    BATCH_ROWS,
    CATALOGUE,
    ColumnRole,
    Examined,
    Examiner,
    Example,
    Repeats,
    Severity,
    as_json,
    normal_form,
)
from piggy_batch.manifest.doctor.findings import holds_no_value
from piggy_batch.tables import open_table

HERE = Path(__file__).parent
CORPUS = json.loads((HERE / "corpus.json").read_text(encoding="utf-8"))


def repeats_of(column: str, seen: list[Example]) -> Repeats:
    """What the journal counts, on paper: rows equal to an earlier one, and rows that become so."""
    exact, near = [], []
    forms: dict[str, set[str]] = defaultdict(set)
    for example in seen:
        alike = forms[normal_form(example.value)]
        if example.value in alike:
            exact.append(example)
        elif alike:
            near.append(example)
        alike.add(example.value)
    return Repeats(column, len(exact), tuple(exact), len(near), tuple(near))


def examine(path: Path, roles: dict[str, str]):
    with open_table(path) as table:
        examined = [
            Examined(name, ColumnRole(role), table.columns.index(name), name.strip(), formatted=table.may_be_formatted)
            for name, role in roles.items()
        ]
        examiner = Examiner(table.columns, examined)
        rows = ((number, line, cells) for number, (line, cells) in enumerate(table.rows(), start=1))
        problems = []
        seen = defaultdict(list)
        while batch := list(islice(rows, BATCH_ROWS)):
            problems += examiner.feed(batch)
            for number, line, cells in batch:
                for column in examined:
                    if column.role is ColumnRole.IDENTIFIER and cells[column.index]:
                        seen[column.column].append(Example(number, line, cells[column.index]))
    wrong = {(problem.column, problem.row) for problem in problems if holds_no_value(problem)}
    repeats = [repeats_of(name, [e for e in values if (name, e.row) not in wrong]) for name, values in seen.items()]
    return examiner.rows, examiner.findings(repeats), problems


def test_every_file_is_described() -> None:
    """The corpus and its description name the same files, sixty at least."""
    assert sorted(path.name for path in (HERE / "corpus").iterdir()) == sorted(CORPUS)
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_file_gives_exactly_the_findings_it_must(name: str) -> None:
    """A file's findings and their counts are those listed for it, and no other."""
    expected = CORPUS[name]
    rows, findings, problems = examine(HERE / "corpus" / name, expected["roles"])
    assert rows == expected["rows"]
    assert {finding.code: finding.count for finding in findings} == expected["findings"]
    for finding in findings:
        assert 1 <= len(finding.examples) == min(3, finding.count)
        assert all(example.line > 0 and example.value for example in finding.examples)
    repeated = {"MD301"}
    wrong = sum(f.count for f in findings if f.severity is Severity.ERROR and f.code not in repeated)
    assert len(problems) <= wrong
    assert bool(problems) == bool(wrong)
    assert json.loads(json.dumps(as_json(rows, findings)))["rows"] == rows


def test_every_rule_has_a_file_that_shows_it() -> None:
    """No rule goes without proof."""
    shown = {code for expected in CORPUS.values() for code in expected["findings"]}
    assert shown == {rule.code for rule in CATALOGUE}


def test_codes_and_slugs_are_unique() -> None:
    """A code names one rule, for ever."""
    assert len({rule.code for rule in CATALOGUE}) == len({rule.slug for rule in CATALOGUE}) == len(CATALOGUE)
