"""The proof of speed and memory, in small; in full it is run by itself."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest


@pytest.mark.process
def test_proof_holds_in_small() -> None:
    """Ten thousand cards: the command finds what the generator knows, within time and memory."""
    prove = runpy.run_path(str(Path(__file__).parents[1] / "prove" / "reporting.py"))["prove"]
    figures = prove(0.005)
    assert figures["ok"], figures
