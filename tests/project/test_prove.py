"""The big proofs run, in small; ``make prove`` runs them in full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.prove.__main__ import names

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.process
@pytest.mark.parametrize("name", [name for name in names() if name != "hostile"])  # whose tests are run anyway
def test_a_proof_holds_in_small(tmp_path: Path, name: str) -> None:
    """At a thousandth of its size a proof says ok, and its figures reach the file beside those already there."""
    out = tmp_path / "prove.json"
    out.write_text('{"kept": {"ok": true}}')
    words = [sys.executable, "-m", "tests.prove", "--scale", "0.001", "--only", name, "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    results = json.loads(out.read_text())
    assert set(results) == {"kept", name}
    assert results[name].get("ok", True) is True
