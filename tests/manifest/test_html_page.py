"""The page that is mailed back to the shop owner: complete, self-contained, safe, and readable on paper."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from piggy_batch.manifest.doctor import ColumnFacts, ColumnRole, Examined, Examiner, Example, Finding, Repeats
from piggy_batch.manifest.html_page import CheckReport, bars, render, visible

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "br", "hr", "img", "link", "input"}
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page(HTMLParser):
    """Text by tag; fails on tags that do not pair."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: dict[str, list[str]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.text.setdefault(self.open[-1], []).append(data.strip())


def report(values: list[str], repeats: tuple[Repeats, ...] = ()) -> CheckReport:
    examined = [Examined("Kaartnummer", ColumnRole.IDENTIFIER, 0)]
    examiner = Examiner(["Kaartnummer"], examined)
    examiner.feed([(number, number + 1, [value]) for number, value in enumerate(values, start=1)])
    findings: list[Finding] = examiner.findings(repeats)
    return CheckReport(
        "legacy <2009>.csv", "identifiers create", len(values), "CSV, cp1252", ["read as cp1252"], examiner.facts(),
        findings, "2 January 2024",
    )  # fmt: skip


@pytest.fixture
def damaged() -> CheckReport:
    random_ = random.Random(1)
    values = [f"{random_.randrange(1, 10**13):013d}".lstrip("0") for _ in range(300)]
    values += ["6.00650E+18", "\u00a0<script>alert(1)</script>", '="0012"', "6006 5000 1234", ""]
    near = Repeats("Kaartnummer", 0, (), 1, (Example(7, 8, "ab 12", "AB12"),))
    return report(values, (near,))


def test_page_tells_everything(damaged: CheckReport) -> None:
    """Each finding stands there with code, count, examples and remedy; each column with its histogram."""
    html = render(damaged)
    page = Page(html)
    assert page.text["h1"] == ["legacy <2009>.csv"]
    codes = set(re.findall(r"\(MD\d+\)", html))
    assert codes == {f"({finding.code})" for finding in damaged.findings}
    assert {"(MD101)", "(MD105)", "(MD106)", "(MD202)", "(MD203)", "(MD302)"} <= codes
    assert "6.00650E+18" in page.text["code"]
    assert "°<script>alert(1)</script>" in page.text["code"]
    assert len([tag for tag, attrs in page.tags if attrs.get("class") == "bar"]) == len(bars(damaged.columns[0]))
    assert any("Excel" in heading for heading in page.text["h2"])


def test_page_is_self_contained_and_safe(damaged: CheckReport) -> None:
    """No script, no address outside the page, and nothing from the list that works as markup."""
    html = render(damaged)
    page = Page(html)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "form"}
    assert not re.search(r"https?://|url\(|@import|\ssrc=|\son\w+=", html)
    assert all("href" not in attrs for _, attrs in page.tags)


def test_errors_come_first_and_words_tell_grades(damaged: CheckReport) -> None:
    """What cannot be right precedes what must be answered and what is to be looked at; colour is never alone."""
    page = Page(render(damaged))
    words = [word for word in page.text["span"] if word in {"cannot be right", "must be answered", "look at it"}]
    order = ["cannot be right", "must be answered", "look at it"]
    assert words == sorted(words, key=order.index)
    assert len(words) == len(damaged.findings)


def test_clean_list_says_so() -> None:
    """A list without findings gets a page that says that it can be used."""
    page = Page(render(report(["007", "008"])))
    assert "Nothing wrong was found." in page.text["strong"]


def test_bars_are_bounded() -> None:
    """However many lengths there are, the histogram stays short and counts every value."""
    facts = ColumnFacts("c", ColumnRole.IDENTIFIER, 5000, 0, tuple((n, n) for n in range(1, 100)))
    shown = bars(facts)
    assert len(shown) == 13
    assert sum(bar.count for bar in shown) == sum(range(1, 100))
    assert all(1 <= bar.share <= 100 for bar in shown)
    assert bars(ColumnFacts("c", ColumnRole.IDENTIFIER, 0, 3, ())) == []


def test_invisible_characters_are_shown() -> None:
    """Every character that cannot be seen has a sign, and a long value is cut."""
    assert visible(" a\u00a0b\tc\n\u200b\x07") == "␣a°b⇥c↵∅∅"
    assert visible("x" * 100) == "x" * 59 + "…"


@pytest.mark.process
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: the page's HTML is tested without it")
def test_page_renders_and_prints_in_a_browser(damaged: CheckReport, tmp_path: Path) -> None:
    """A real browser draws the page and prints it on more than no paper."""
    page = tmp_path / "page.html"
    page.write_text(render(damaged), encoding="utf-8")
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}"]
    for wanted in ("--screenshot={}/page.png", "--print-to-pdf={}/page.pdf"):
        command = [str(BROWSER), *quiet, wanted.format(tmp_path), page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "page.png").stat().st_size > 20_000
