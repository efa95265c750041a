"""The forms of a report: one page that needs nothing else, a workbook, JSON, CSV and a terminal's text."""

from __future__ import annotations

import csv
import json
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from piggy_batch.errors import SetupError
from piggy_batch.files import atomic_file
from piggy_batch.reporting.money import Currency, average
from piggy_batch.reporting.render.language import ENGLISH
from tests.reporting.support import CLOSING, OPENING, Account, Run

if TYPE_CHECKING:
    from pathlib import Path

Figures = Callable[..., dict[str, Any]]
MINUS = "\N{MINUS SIGN}"
EVIL = '=HYPERLINK("http://example.test","click") <script>alert(1)</script> $x^2$'


@pytest.fixture(scope="module")
def snapshot_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two snapshots with every movement in them, fifteen programs and a name that means harm."""
    folder = tmp_path_factory.mktemp("files")
    account = Account(programs={f"p-{index}": f"Program {index}" for index in range(15)})
    account.programs["p-0"] = EVIL
    account.programs["p-1"] = "贈り物 🎁"
    for index in range(60):
        expires = OPENING + timedelta(days=(index % 12) * 40 - 20) if index % 7 else None
        account.add(
            f"c-{index}", 1_000 + 137 * index, program=f"p-{index % 15}", expires=expires, active=index % 9 != 0
        )
    opening = account.export(folder / "opening.parquet", OPENING)
    for index, card in enumerate(list(account.cards.values())):
        if index % 5 == 0:
            card.cents -= 500
        if index % 8 == 0:
            card.active = not card.active
        if index % 19 == 0:
            del account.cards[card.uuid]
    account.add("c-new", 123_456_789, program="p-0")
    return opening, account.export(folder / "closing.parquet", CLOSING)


@pytest.fixture(scope="module")
def page(snapshot_files: tuple[Path, Path], report: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The HTML of a report with a list."""
    target = tmp_path_factory.mktemp("page") / "report.html"
    result = report(*snapshot_files, "--list", "redeemed", "--to", target)
    assert result.exit_code == 0, result.output
    return target.read_text()


class Reader(HTMLParser):
    """Collects what a test asks of a page: tags with attributes, and the text of every table by section."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._section, self._cell = "", False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "section":
            self._section = values.get("id") or ""
        if tag == "tr":
            self.tables.setdefault(self._section, []).append([])
        self._cell = tag in {"td", "th"} or (self._cell and tag not in {"tr", "section"})
        if tag in {"td", "th"}:
            self.tables[self._section][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.tables[self._section][-1][-1] += data


def figure(page: str, key: str) -> str:
    """The markup of one chart."""
    found = re.search(rf'<figure class="chart" id="{key}">.*?</figure>', page, flags=re.DOTALL)
    assert found, key
    return found[0]


def bars(page: str, key: str) -> list[tuple[str, str]]:
    """The names and amounts that a chart of bars writes."""
    labels = re.findall(r'<span class="bar-label"><bdi>(.*?)</bdi>', figure(page, key), flags=re.DOTALL)
    amounts = re.findall(r'<span class="bar-amount">(.*?)</span>', figure(page, key))
    return [(unescape(label), amount) for label, amount in zip(labels, amounts, strict=True)]


def test_bars_of_programs_say_what_their_table_says(page: str) -> None:
    """Eleven programs one by one, the rest together: the amounts are the table's."""
    rows = Reader(page).tables["balances"]
    begin = [row[0] for row in rows].index("By program") + 1
    amounts = [row[2] for row in rows[begin : begin + 15]]
    drawn = [amount for _, amount in bars(page, "programs-chart")]
    assert drawn[:11] == amounts[:11]
    assert drawn[11:] == [ENGLISH.amount(sum(int(re.sub(r"\D", "", amount)) for amount in amounts[11:]))]
    assert bars(page, "programs-chart")[-1][0] == "4 others"


@pytest.mark.parametrize(("key", "section"), [("expiry-chart", "expiry"), ("waterfall-chart", "roll_forward")])
def test_bars_say_what_their_table_says(key: str, section: str, page: str) -> None:
    """Every bar has its row, every row its bar, with the same amount."""
    rows = Reader(page).tables[section][1:]
    wanted = [(row[0], row[2]) for row in rows if row[0] != "Total"]
    assert bars(page, key) == wanted


def test_trend_is_drawn_from_its_table(page: str) -> None:
    """Each point says its day and amount, and the last amount stands beside the line."""
    rows = Reader(page).tables["trend"][1:]
    told = re.findall(r"<circle[^>]*><title>(.*?)</title>", figure(page, "trend-chart"))
    assert [words.partition(": €")[2] for words in told] == [row[2] for row in rows]
    assert f">€{rows[-1][2]}</text>" in figure(page, "trend-chart")
    assert ">31 Oct</text>" in figure(page, "trend-chart"), "a tick stands on the snapshot's own day"
    assert ">30 Nov</text>" in figure(page, "trend-chart")


def test_first_screen_says_the_month(page: str, snapshot_files: tuple[Path, Path], figures: Figures) -> None:
    """Six amounts, the verdict with its moment, one chart, and which figure to book, in this order."""
    found = figures(*snapshot_files)
    roll, liable = found["roll_forward"], found["liability"]
    soon = sum(s["balance_cents"] for s in found["expiry"] if s["bucket"] in ("<=30", "31-60", "61-90"))
    amounts = (
        liable["outstanding_cents"],
        roll["closing"] - roll["opening"],
        roll["issued"] + roll["topped_up"],
        roll["redeemed"],
        roll["expired"],
        soon,
    )
    shown = re.findall(r'<span class="value">(.*?)</span>', page)
    euro = Currency("EUR")
    assert shown == [ENGLISH.money(cents, euro, sign=n == 1) for n, cents in enumerate(amounts)]
    share = re.search(r"<dt>Change</dt>.*?<span class=\"detail\">(.*?)</span>", page, flags=re.DOTALL)
    assert share
    percent = (roll["closing"] - roll["opening"]) / roll["opening"] * 100
    assert share[1] == f"+{percent:,.1f}\N{NO-BREAK SPACE}% since 31 Oct 2026"
    order = [page.index(words) for words in ("Complete, proven", 'class="facts', 'id="trend-chart"', "To book as the")]
    assert order == sorted(order)
    assert "30 Nov 2026, 22:00:00 CET" in page


def test_page_needs_nothing_else(page: str) -> None:
    """No tag loads anything, no style imports anything, and the page's own policy forbids both."""
    reader = Reader(page)
    assert not [tag for tag, _ in reader.tags if tag in {"script", "link", "img", "iframe", "object", "embed", "base"}]
    links = [
        value for tag, values in reader.tags for name, value in values.items() if name in {"href", "src", "xlink:href"}
    ]
    assert links
    assert all(link and link.startswith("#") for link in links)
    assert not re.findall(r"@import|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_names_cannot_become_markup_or_formulas(page: str) -> None:
    """A program's name is text wherever it stands, in tables as in charts."""
    assert "<script>" not in page
    assert EVIL in unescape(page)
    assert any(name.startswith("=HYPERLINK(") for name, _ in bars(page, "programs-chart"))


@pytest.mark.hostile("18.21 controls of direction, an open token file or a secret in the wrong option")
def test_names_cannot_turn_the_text_around_them(tmp_path: Path, report: Run) -> None:
    """Controls of direction in a program's name are shown as such, in tables and in charts; letters stay letters."""
    account = Account(programs={"p-0": "Kaart\u202egpj.\u2066\x1b[2J كرت"})
    account.add("c-0", 1_000, program="p-0")
    snapshot = account.export(tmp_path / "cards.parquet", CLOSING)
    page = tmp_path / "page.html"
    report(snapshot, "--to", page)
    text = page.read_text(encoding="utf-8")
    assert not set("\u202e\u2066\x1b") & set(text)
    assert "Kaart\\u202egpj.\\u2066\\x1b[2J كرت" in unescape(text)


def test_page_is_accessible(page: str) -> None:
    """Language, title, headings in order, named charts, captions and scopes, focusable scrollers, a skip link."""
    reader = Reader(page)
    tags = reader.tags
    assert ("html", {"lang": "en"}) in tags
    assert [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h\d", tag)][:2] == [1, 2]
    assert all(svg.get("aria-hidden") == "true" or "x" in svg for svg in (v for tag, v in tags if tag == "svg"))
    drawn = [values for _, values in tags if values.get("role") == "img"]
    assert len(drawn) == 4
    assert all(len(values["aria-label"] or "") > 30 for values in drawn), "each chart is told in words"
    ids = [values["id"] for _, values in tags if "id" in values]
    assert len(ids) == len(set(ids)), "ids are unique, those in charts included"
    named = {ref for _, values in tags for ref in (values.get("aria-labelledby") or "").split()}
    assert named <= set(ids)
    assert all("scope" in values for tag, values in tags if tag == "th")
    scrollers = [values for tag, values in tags if "scroll" in (values.get("class") or "")]
    assert scrollers
    assert all(values["tabindex"] == "0" for values in scrollers)
    assert ("a", {"class": "skip", "href": "#content"}) in tags


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_keep_their_contrast_in_light_and_dark(page: str) -> None:
    """Text has 4.5:1 and bars have 3:1 against both surfaces, in both schemes; charts use only these colours."""
    schemes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    ]
    assert len(schemes) == 2
    for scheme in schemes:
        for name, least in {
            "ink": 4.5,
            "muted": 4.5,
            "link": 4.5,
            "good": 4.5,
            "bad": 4.5,
            "warn": 4.5,
            "takes": 4.5,
            "outstanding": 3,
            "expired": 3,
            "adds": 3,
            "sum": 3,
        }.items():
            for ground in ("surface", "raised"):
                light, dark = sorted((luminance(scheme[name]), luminance(scheme[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= least, (name, ground)
        for step in range(9):
            light, dark = sorted((luminance(scheme[name]) for name in ("ink", f"heat{step}")), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, step
    for chart in ("programs-chart", "expiry-chart", "waterfall-chart", "trend-chart"):
        assert not re.findall(r"#[0-9a-fA-F]{6}", figure(page, chart))


def test_page_prints_on_a4(page: str) -> None:
    """Rows are not cut, headings repeat, paper is light, and every page has its number, the account and the moment."""
    for rule in (
        "size: A4",
        'content: counter(page) " / " counter(pages)',
        '@top-left { content: "a-1"; }',
        '@top-right { content: "Giftcards as of 30 Nov 2026, 22\\00003a 00\\00003a 00 CET"; }',
        "break-inside: avoid",
        "display: table-header-group",
        "@media print",
    ):
        assert rule in page
    assert "@media screen and (prefers-color-scheme: dark)" in page


def test_definitions_are_printed(page: str) -> None:
    """The words that the figures rest on stand in the report."""
    text = unescape(page)
    assert "Balance of cards that are switched on and not expired: what is owed to their holders." in text
    assert "Outstanding, expired and switched off add up to all balances." in text
    assert "IFRS 15" in text
    assert "RJ 270" in text


def test_long_lists_end_on_the_page_only(tmp_path: Path, report: Run) -> None:
    """The page holds the first thousand cards of a list and says how many more the other forms hold."""
    account = Account()
    opening = account.export(tmp_path / "a.parquet", OPENING)
    for index in range(1_234):
        account.add(f"c-{index}", 100)
    closing = account.export(tmp_path / "b.parquet", CLOSING)
    html, table = tmp_path / "r.html", tmp_path / "r.csv"
    report(opening, closing, "--list", "issued", "--to", html, "--to", table)
    assert len(Reader(html.read_text()).tables["cards_issued"]) == 1_001
    assert "234 more rows are in the workbook and the JSON" in html.read_text()
    assert len(table.read_text().splitlines()) == 1_235


def test_workbook(snapshot_files: tuple[Path, Path], report: Run, figures: Figures, tmp_path: Path) -> None:
    """Numbers with formats, frozen headers, no formulas, one sheet per table, the sources with their hashes."""
    target = tmp_path / "report.xlsx"
    assert report(*snapshot_files, "--list", "redeemed", "--to", target).exit_code == 0
    found = figures(*snapshot_files, "--list", "redeemed")
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == [
        "Summary",
        "Roll-forward",
        "Roll-forward by program",
        "Balances",
        "Expiry",
        "Trend",
        "Cards redeemed",
        "Definitions and sources",
    ]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert all(sheet.freeze_panes and sheet.print_area for sheet in book)
    assert all(sheet.auto_filter.ref for sheet in book if sheet.title not in ("Summary", "Definitions and sources"))
    outstanding = book["Summary"]["B5"]
    assert round(outstanding.value * 100) == found["liability"]["outstanding_cents"]
    assert (outstanding.data_type, "#,##0.00" in outstanding.number_format, "€" in outstanding.number_format) == (
        "n",
        True,
        True,
    )
    assert book["Summary"]["A2"].value.startswith("Complete, proven")
    assert EVIL in [row[0].value for row in book["Balances"].iter_rows()]
    days = [row[0].value for row in book["Trend"].iter_rows(min_row=2)]
    assert days == [datetime(2026, 10, 31), datetime(2026, 11, 30)]  # noqa: DTZ001 - a cell's date has no zone
    listed = [round(row[-1].value * 100) for row in book["Cards redeemed"].iter_rows(min_row=2)]
    assert listed == [card["cents"] for card in found["lists"]["redeemed"]]
    last = [[cell.value for cell in row] for row in book["Definitions and sources"].iter_rows()]
    assert "Roll-forward" in [row[0] for row in last]
    sources = last[-len(found["sources"]) :]
    assert [(row[0], row[5], row[7]) for row in sources] == [
        (s["role"], "complete, proven", s["sha256"]) for s in found["sources"]
    ]


def test_json_has_the_keys_of_the_contract(snapshot_files: tuple[Path, Path], figures: Figures) -> None:
    """The names that other programs rely on; every amount is an integer."""
    found = figures(*snapshot_files)
    assert {"liability", "expiry", "roll_forward", "trend", "sources"} <= set(found)
    assert {"outstanding_cents", "cards", "expired_cents", "inactive_cents", "total_cents", "by_program"} <= set(
        found["liability"]
    )
    terms = {
        "opening",
        "issued",
        "topped_up",
        "redeemed",
        "expired",
        "deactivated",
        "reactivated",
        "vanished",
        "closing",
        "residual",
    }
    for line in (found["roll_forward"], *found["roll_forward"]["by_program"]):
        assert terms <= set(line)
        assert all(type(line[term]) is int for term in terms)
    liability = found["liability"]
    parts = ("outstanding_cents", "expired_cents", "inactive_cents")
    assert sum(liability[part] for part in parts) == liability["total_cents"]
    for breakdown in ("by_program", "by_type", "by_state"):
        for key in (*parts, "cards", "zero_balance_cards"):
            assert sum(line[key] for line in liability[breakdown]) == liability[key]
    assert (
        sum(step["balance_cents"] for step in found["expiry"])
        == liability["outstanding_cents"] + liability["expired_cents"]
    )
    assert found["trend"][-1]["outstanding_cents"] == liability["outstanding_cents"]


def test_csv_is_one_tidy_table(
    snapshot_files: tuple[Path, Path], report: Run, figures: Figures, tmp_path: Path
) -> None:
    """Every figure is a row with cents as integers; the sum over programs is the total."""
    target = tmp_path / "r.csv"
    report(*snapshot_files, "--to", target)
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = figures(*snapshot_files)
    outstanding = [int(row["cents"]) for row in rows if (row["section"], row["item"]) == ("by_program", "outstanding")]
    assert sum(outstanding) == found["liability"]["outstanding_cents"]
    (redeemed,) = [row for row in rows if (row["section"], row["item"]) == ("roll_forward", "redeemed")]
    assert int(redeemed["cents"]) == found["roll_forward"]["redeemed"]
    assert {row["section"] for row in rows} == {
        "liability",
        "by_program",
        "by_type",
        "by_state",
        "expiry",
        "roll_forward",
        "roll_forward_by_program",
        "trend",
    }


def test_list_without_a_file_is_csv_on_stdout(snapshot_files: tuple[Path, Path], report: Run, figures: Figures) -> None:
    """A list can be piped: nothing but CSV on stdout."""
    rows = list(csv.DictReader(report(*snapshot_files, "--list", "vanished").stdout.splitlines()))
    listed = figures(*snapshot_files, "--list", "vanished")["lists"]["vanished"]
    assert [(row["giftcard_uuid"], int(row["cents"])) for row in rows] == [
        (c["giftcard_uuid"], c["cents"]) for c in listed
    ]
    assert {row["list"] for row in rows} == {"vanished"}


def test_terminal(snapshot_files: tuple[Path, Path], report: Run) -> None:
    """Without --to the tables stand on stdout and the last line says it all; another currency is only a label."""
    result = report(*snapshot_files, "--currency", "chf")
    assert "When balances expire" in result.stdout
    last = result.stdout.splitlines()[-1]
    assert re.match(
        r"complete, proven: 2026-11-30: outstanding CHF\xa0[\d,]+\.\d\d on \d+ cards; expired with balance ", last
    )
    assert last.endswith("; closes")


def test_terminal_keeps_its_columns(tmp_path: Path, report: Run) -> None:
    """A name with a line break stays on its line, and one of wide characters takes two columns for each."""
    account = Account(programs={"p-1": "line\nbreak", "p-2": "贈り物", "p-3": "plain"})
    for program in account.programs:
        account.add(f"c-{program}", 1_000, program=program)
    lines = report(account.export(tmp_path / "a.parquet", CLOSING)).stdout.splitlines()
    at = lines.index("  By program")
    shown = [line.replace("贈り物", "wide..") for line in lines[at + 1 : at + 4]]
    assert [line.split("  ")[1] for line in shown] == ["line\\nbreak", "plain", "wide.."]
    assert len({line.index("10.00") for line in shown}) == 1


def test_csv_is_byte_true_and_says_what_a_spreadsheet_would_run(
    snapshot_files: tuple[Path, Path], report: Run, tmp_path: Path
) -> None:
    """A program's name that begins like a formula stands in the CSV as it is, and a line says that xlsx is safe."""
    target = tmp_path / "r.csv"
    result = report(*snapshot_files, "--to", target)
    with target.open(newline="") as file:
        assert EVIL in {row["program_name"] for row in csv.DictReader(file)}
    assert "begins like a formula, and stands in the CSV as it is" in result.stderr
    assert "begins like a formula" not in report(*snapshot_files, "--to", tmp_path / "r.xlsx").stderr


def test_quiet_prints_nothing(snapshot_files: tuple[Path, Path], report: Run, tmp_path: Path) -> None:
    """A report without anything to worry about is silent for cron, and exits 0."""
    result = report(*snapshot_files, "--quiet", "--expect-closed", "--to", tmp_path / "r.json")
    assert (result.exit_code, result.output) == (0, "")


def test_files_are_private_and_whole(snapshot_files: tuple[Path, Path], report: Run, tmp_path: Path) -> None:
    """Reports are 0600 and replace what was there in one step; where they cannot be written nothing is left."""
    targets = [tmp_path / f"r.{suffix}" for suffix in ("html", "xlsx", "json", "csv")]
    for target in targets:
        target.write_text("old")
    assert report(*snapshot_files, *(part for target in targets for part in ("--to", target))).exit_code == 0
    assert {stat.S_IMODE(target.stat().st_mode) for target in targets} == {0o600}
    assert sorted(tmp_path.iterdir()) == sorted(targets)
    folder = tmp_path / "r.html.d"
    result = report(*snapshot_files, "--to", folder / "r.html")
    assert result.exit_code == 2
    assert f"there is no folder {folder}" in result.stderr


def test_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """A file that cannot be finished does not appear, and the old one stays."""
    target = tmp_path / "r.json"
    target.write_text("old")

    def fail_half_way() -> None:
        with atomic_file(target) as draft:
            draft.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(SetupError, match=r"cannot be written .No space left on device."):
        fail_half_way()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_reports_of_the_same_files_are_the_same(snapshot_files: tuple[Path, Path], report: Run, tmp_path: Path) -> None:
    """But for the time at which it was made a page holds nothing that changes from run to run."""
    pages = []
    for name in ("a.html", "b.html"):
        report(*snapshot_files, "--to", tmp_path / name)
        pages.append(re.sub(r"Made [^<]+", "", (tmp_path / name).read_text()))
    assert pages[0] == pages[1]


def test_help_imports_nothing_slow() -> None:
    """The commands can be listed and explained without pandas, Arrow or httpx."""
    code = (
        "import sys\nfrom click.testing import CliRunner\n"
        "from piggy_batch.cli.commands.report import report_command\n"
        "from piggy_batch.cli.commands.snapshots import snapshots_command\n"
        "assert 'Exit codes' in CliRunner().invoke(report_command, ['--help']).output\n"
        "assert CliRunner().invoke(snapshots_command, ['--help']).exit_code == 0\n"
        "slow = ('pandas', 'numpy', 'pyarrow', 'httpx', 'jinja2', 'xlsxwriter')\n"
        "print([name for name in slow if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout.replace("'", '"')) == []


@pytest.mark.parametrize(
    ("cents", "shown"),
    [(0, "0.00"), (5, "0.05"), (-5, f"{MINUS}0.05"), (123_456, "1,234.56"), (-100_000_000, f"{MINUS}1,000,000.00")],
)
def test_amounts_are_formatted_from_integers(cents: int, shown: str) -> None:
    """No float stands between cents and what is read."""
    assert ENGLISH.amount(cents) == shown
    assert ENGLISH.money(cents, Currency.parse("eur")) == (
        shown.replace(MINUS, f"{MINUS}€") if cents < 0 else f"€{shown}"
    )


@pytest.mark.parametrize(
    ("cents", "cards", "result"), [(100, 3, 33), (101, 2, 51), (-101, 2, -51), (0, 5, 0), (7, 0, 0)]
)
def test_average_is_rounded_to_the_cent(cents: int, cards: int, result: int) -> None:
    """Halves go away from zero; no cards have no average."""
    assert average(cents, cards) == result
