"""The languages in which a page can be written."""

from __future__ import annotations

from piggy_batch.reporting.render.dutch import DUTCH
from piggy_batch.reporting.render.language import ENGLISH

LANGUAGES = {language.code: language for language in (ENGLISH, DUTCH)}
