"""A page in Dutch says everything in Dutch: every sentence of the program's own has its translation."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import pytest

import piggy_batch.reporting as package
from piggy_batch.reporting import glossary
from piggy_batch.reporting.render.dutch import DUTCH
from piggy_batch.reporting.render.language import ENGLISH
from tests.reporting.rich import make_store
from tests.reporting.support import CLOSING, OPENING, Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reporting.support import Run

FOLDER = Path(package.__file__).parent
SAY = {"note", "check", "partial", "partial_notice", "phrase", "Label"}  # whose first argument is said
COLUMNS = {"text", "count", "cents", "share", "day", "moment"}
PARTS = {"{title}", "{title}, {currency}", ", {currency}", "Cards "}  # data only, or the beginning of a sheet's name


def sentences() -> Iterator[str]:
    """Every sentence and label in the package's code, its templates and its glossary."""
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        module = assigned(tree)
        for scope in ast.walk(tree):
            if isinstance(scope, ast.FunctionDef):
                yield from said_in(scope, module | assigned(scope))
        yield from said_in(tree, module)
    for path in FOLDER.rglob("*.j2"):
        yield from re.findall(r'"([^"]+)" \| words', path.read_text("utf-8"))
    for name, groups in vars(glossary).items():
        if name.isupper() and isinstance(groups, tuple):
            yield from (words for group in groups for words in group)
    yield from (
        "no longer listed",
        "no transaction",
        "new card",
        "amounts differ",
        "in neither snapshot",
    )  # remarks, which arrays hold as plain text
    yield from ("the card's change agrees", "expired, the balance is still on the card")


def assigned(scope: ast.AST) -> dict[str, list[str]]:
    """The texts that names stand for."""
    known: dict[str, list[str]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known.setdefault(node.targets[0].id, []).extend(constants(node.value))
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Tuple | ast.Name):
            for name in (n for n in ast.walk(node.target) if isinstance(n, ast.Name)):
                known.setdefault(name.id, []).extend(constants(node.iter) if name.id == "role" else [])
    return known


def said_in(scope: ast.AST, known: dict[str, list[str]]) -> Iterator[str]:
    """The texts that a function hands to what says something, by themselves or by a name."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first, name = node.args[0], node.func.id
            if name in SAY:
                yield from constants(first)
                yield from (w for n in ast.walk(first) if isinstance(n, ast.Name) for w in known.get(n.id, []))
            if name in COLUMNS and isinstance(first, ast.Constant):
                yield from constants(first)
            if name == "named":
                yield from (words for argument in node.args[-3:-1] for words in constants(argument) if " " in words)
            if name == "_bar_chart":
                yield from constants(node.args[1])


def constants(node: ast.AST) -> list[str]:
    """The texts in an expression."""
    found = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [text for text in found if re.search(r"[A-Za-z]{2}", text)]


def test_every_sentence_has_its_translation() -> None:
    """None is missing, and each translation holds the same values."""
    wanted = {words for words in sentences() if re.search(r"[A-Za-z]{2}", words)} - PARTS
    assert wanted - DUTCH.texts.keys() == set()
    assert len(wanted) > 200
    for english, dutch in DUTCH.texts.items():
        assert fields(english) == fields(dutch), english
        assert dutch.strip()


def fields(template: str) -> set[str]:
    """The names of a template's values."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, report: Run) -> str:
    """December of a rich account in Dutch, with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("dutch")
    store = make_store(folder, months=14, cards_a_month=20)
    options = ["--period", "2026-12", "--list", "all", "--sample", "3", "--breakage-months", "6", "--lang", "nl"]
    result = report("--store", store, *options, "--to", folder / "r.html")
    assert result.exit_code == 0, result.output
    return (folder / "r.html").read_text()


def test_numbers_days_and_words_are_dutch(page: str) -> None:
    """Comma and points, months in Dutch, and the page says that it is Dutch."""
    assert '<html lang="nl">' in page
    assert re.search(r'class="value">€\N{NO-BREAK SPACE}[\d.]+,\d\d<', page)
    assert "31 dec 2026, 23:59:59 CET" in page
    for words in ("Volledig, bewezen", "Uitstaand", "Vervalt binnen 90 dagen", "Verloop per programma", "Ingewisseld"):
        assert words in page, words
    text = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    for words in ("Outstanding", "Redeemed", "Complete, proven", "cards", "Balance", "No longer listed", " Dec "):
        assert words not in re.sub(r"<[^>]*>", " ", text), words


def test_data_stays_what_it_is(tmp_path_factory: pytest.TempPathFactory, report: Run) -> None:
    """A program called Redeemed is no word of the page's."""
    folder = tmp_path_factory.mktemp("data")
    account = Account(programs={"p-1": "Redeemed"})
    account.add("c-1", 100)
    opening = account.export(folder / "a.parquet", OPENING)
    closing = account.export(folder / "b.parquet", CLOSING)
    assert report(opening, closing, "--lang", "nl", "--to", folder / "r.html").exit_code == 0
    assert "<bdi>Redeemed</bdi>" in (folder / "r.html").read_text()


@pytest.mark.parametrize(
    ("number", "english", "dutch"),
    [
        (0, "0", "0"),
        (950, "950", "950"),
        (25_000, "25 k", "25 k"),
        (1_500_000, "1.5 M", "1,5 mln"),
        (-2 * 10**9, "\N{MINUS SIGN}2 bn", "\N{MINUS SIGN}2 mld"),
    ],
)
def test_axes_are_short(number: int, english: str, dutch: str) -> None:
    """Steps of an axis in thousands, millions and billions."""
    assert ENGLISH.short(number).replace("\N{NO-BREAK SPACE}", " ") == english
    assert DUTCH.short(number).replace("\N{NO-BREAK SPACE}", " ") == dutch
