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
    scales=("mld", "mln", "k"),
    months=("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    whole_months=(
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ),
    after_symbol="\N{NO-BREAK SPACE}",
)
