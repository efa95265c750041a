"""The page as a browser prints it: a rich account of sixty snapshots on A4."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.reporting.ledger_judge import OPTIONS
from tests.reporting.rich import make_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reporting.support import Run

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
READER = shutil.which("pdftotext")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
FULL = 0.6  # of a page's height


@pytest.mark.process
@pytest.mark.skipif(BROWSER is None or READER is None, reason="no Chromium or pdftotext: the style sheet is tested")
def test_every_page_is_numbered_and_filled(tmp_path: Path, report: Run) -> None:
    """Each page has the account, the moment and its number; none but the last is half empty; the first holds the six
    amounts and the roll-forward; the hashes of sixty files stand on the last three."""
    store, page = make_store(tmp_path, months=60, cards_a_month=8), tmp_path / "page.html"
    assert report("--store", store, "--period", "2026-12", "--to", page, *OPTIONS).exit_code == 0
    paper = tmp_path / "page.pdf"
    command = [str(BROWSER), *QUIET, "--disable-component-update", "--disable-sync", "--no-pdf-header-footer"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={paper}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    read = subprocess.run([str(READER), "-bbox", str(paper), "-"], check=True, capture_output=True, text=True)
    pages = [Sheet(text) for text in read.stdout.split("<page ")[1:]]
    assert 6 <= len(pages) <= 16
    for number, sheet in enumerate(pages, start=1):
        assert sheet.words.startswith("Bloem & Blad B.V. Giftcards as of 31 Dec 2026, 23:59:59 CET ")
        assert sheet.words.endswith(f" {number} / {len(pages)}")
        assert sheet.last not in ("Verdict", "SHA-256", "Credit", "Closing", "cards", "+36"), "a head without rows"
    assert min(sheet.filled for sheet in pages[:-1]) > FULL
    for words in ("Outstanding", "Expires within 90 days", "To book as the liability", "From opening to closing"):
        assert words in pages[0].words
    hashes = [len(re.findall(r"\b[0-9a-f]{64}\b", sheet.words)) for sheet in pages]
    assert (sum(hashes), sum(hashes[:-3])) == (60, 0)


class Sheet:
    """One page: its words in the order in which they stand, and how far down it is filled."""

    def __init__(self, text: str) -> None:
        size = re.search(r'height="([\d.]+)"', text)
        assert size
        height = float(size[1])
        found = [(float(y), word) for y, word in re.findall(r'yMax="([\d.]+)">(.*?)</word>', text)]
        found.sort(key=lambda word: word[0])
        foot = height * 0.95
        self.last = [word for y, word in found if y < foot][-1]
        self.filled = max(y for y, _ in found if y < foot) / height
        self.words = " ".join(word for _, word in found).replace("&amp;", "&")
