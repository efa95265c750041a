"""A page in Dutch."""

from __future__ import annotations

from piggy_batch.reporting.render.dutch_glossary import MEANINGS
from piggy_batch.reporting.render.dutch_labels import LABELS
from piggy_batch.reporting.render.dutch_sentences import SENTENCES
from piggy_batch.reporting.render.language import Language

DUTCH = Language(
    code="nl",
    texts=LABELS | SENTENCES | MEANINGS,
    thousands=".",
    decimal=",",
    scales=((1_000_000_000, "mld"), (1_000_000, "mln"), (1_000, "k")),
    months=("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    after_symbol="\N{NO-BREAK SPACE}",
)
