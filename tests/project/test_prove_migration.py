"""The big proof of `make prove`, small."""

from __future__ import annotations

import pytest

from tests.prove.migration import prove


@pytest.mark.process
def test_the_proof_in_small() -> None:
    """Sixty cards, killed twice, under faults, with tills at work: as listed but for what is reported, and back."""
    figures = prove(0.003)
    assert figures["ok"], figures
    assert figures["kills"] == 2
