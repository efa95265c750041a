"""What a check tells, as text, as JSON and as a page: every reason and every row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from piggy_batch.cli.main import main
from tests.manifest.test_html_page import Page

CARD = "contact_identifier_value"


Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Exit code, stdout and stderr of a command."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PIGGY_TOKEN", "x")

    def run(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return run


@pytest.fixture
def check(typed: Check) -> Check:
    """The same of a check."""
    return lambda *words: typed("check", *words)


def damaged(folder: Path, rows: int) -> Path:
    """A list of which every other row is damaged, and two rows are blank."""
    path = folder / "list.csv"
    lines = [f"{CARD};contact_identifier_name;Saldo"]
    lines += [f"{'NULL' if n % 4 == 1 else '#N/A' if n % 4 == 3 else f'KA-{n:05d}'};naam;{n}" for n in range(rows)]
    path.write_text("\n".join([*lines, ";x;1", ";y;2"]) + "\n", encoding="utf-8")
    return path


def test_text_names_every_reason_and_column(check: Check, tmp_path: Path) -> None:
    """Counts and examples of every kind, which columns are used for what, and which check could not be applied."""
    code, out, _ = check(str(damaged(tmp_path, 40)), "--for", "identifiers create")
    assert code == 1
    assert f"columns used: {CARD}, contact_identifier_name" in out
    assert 'columns not used: "Saldo"' in out
    assert "10 rows  contact_identifier_value: MD107 spreadsheet-error" in out
    assert "2 rows  contact_identifier_value: is blank" in out
    assert "MD113 word-for-nothing" in out
    assert "not judged: contact_identifier_value:" in out


def test_a_column_that_looks_like_a_field_is_proposed(check: Check, tmp_path: Path) -> None:
    """A migration that does not read the balances says which column looks like them."""
    path = tmp_path / "list.csv"
    path.write_text("contact_identifier_value;Klant e-mail;Saldo;Opmerking\nA-1;a@b.nl;5;x\n", encoding="utf-8")
    _, out, _ = check(str(path), "--for", "migrate")
    assert '"Saldo" (looks like credits: --map credits=Saldo)' in out
    assert '"Klant e-mail"' in out
    assert '"Opmerking"' in out


def test_json_holds_every_reason(check: Check, tmp_path: Path) -> None:
    """The same for programs."""
    _, out, _ = check(str(damaged(tmp_path, 4000)), "--json")
    found = json.loads(out)
    assert found["invalid"] == 2001
    assert {(r["column"], r["reason"]): r["rows"] for r in found["reasons"]} == {
        (CARD, "MD107 spreadsheet-error"): 1000,
        (CARD, "is blank"): 2,
        (CARD, "MD301 duplicate: the same as in an earlier row"): 999,
    }
    assert all(reason["examples"] for reason in found["reasons"])
    assert found["columns_used"] == {CARD: CARD, "contact_identifier_name": "contact_identifier_name"}
    assert found["columns_not_used"] == ["Saldo"]


def test_the_page_lists_all_rows_of_a_finding(check: Check, tmp_path: Path) -> None:
    """Folded, each with its line; a reason that is no finding of the doctor has its rows too."""
    html = tmp_path / "page.html"
    check(str(damaged(tmp_path, 400)), "--html", str(html))
    page = Page(html.read_text(encoding="utf-8"))
    cells = page.text["code"]
    assert cells.count("NULL") >= 100
    assert cells.count("#N/A") >= 100
    assert "All 100 rows" in " ".join(page.text["summary"])
    assert any("is blank" in text for text in page.text["h3"])
    assert not (tmp_path / "page-rows.csv").exists()


def test_rows_that_a_page_does_not_list_are_in_a_file(check: Check, tmp_path: Path) -> None:
    """More than a thousand rows of one finding: the page lists the first, the file beside it all."""
    html = tmp_path / "page.html"
    _, _, err = check(str(damaged(tmp_path, 4800)), "--html", str(html))
    assert "page-rows.csv" in err
    text = html.read_text(encoding="utf-8")
    assert "The first 1,000 of 1,200; all of them are in" in " ".join(text.split())
    with (tmp_path / "page-rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = {int(row["line"]) for row in rows if row["finding"] == "MD107"}
    assert lines == {n + 2 for n in range(4800) if n % 4 == 3}
    assert sum(row["finding"] == "invalid" for row in rows) >= 1202


def test_a_refusal_is_json_too(typed: Check, tmp_path: Path) -> None:
    """An import that is refused for its list prints, with --json, what is wrong with it; nothing else is on stdout."""
    code, out, _ = typed("identifiers", "create", damaged(tmp_path, 40), "--json")
    assert code == 2
    found = json.loads(out)
    assert (found["refused"], found["exit_code"], found["invalid"]) == (True, 2, 21)
    assert any(reason["reason"] == "MD107 spreadsheet-error" for reason in found["reasons"])
    assert [finding["code"] for finding in found["findings"] if finding["blocking"]] == ["MD113"]


def test_the_mended_list_is_told(check: Check, tmp_path: Path) -> None:
    """--write says what it wrote, and refuses to write over anything."""
    path = tmp_path / "list.csv"
    path.write_text('Kaart\n="0012"\n', encoding="utf-8")
    words = [str(path), "--map", f"{CARD}=Kaart", "--fix", "wrappers", "--write", str(tmp_path / "mended.csv")]
    code, _, err = check(*words)
    assert code == 0
    assert "mended.csv, 1 row changed, _changed says how" in err
    assert check(str(tmp_path / "mended.csv"))[0] == 0
    assert check(*words)[0] == 2
