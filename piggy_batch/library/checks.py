"""Arguments of the Python functions are held to what the command line takes, before anything is done."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from piggy_batch.client.rate_limiter import Rate
from piggy_batch.errors import SetupError
from piggy_batch.runs import bounds

_WHOLE = {  # the least and the greatest
    "concurrency": bounds.CONCURRENCY,
    "attempts": bounds.ATTEMPTS,
    "limit": (1, math.inf),
    "max_errors": (1, math.inf),
    "header_row": (1, math.inf),
    "drop_last": (0, bounds.MOST_DROPPED),
}
_NUMBERS = {
    "reserve": bounds.RESERVE,
    "timeout_s": bounds.TIMEOUT_S,
    "max_wait_s": (0.0, math.inf),
    "max_duration_s": (0.0, math.inf),
    "max_errors_percent": (0.0, 100.0),
}
_FLAGS = frozenset(
    {
        *("skip_invalid", "yes", "again", "adopt", "retry_rejected", "resend_unknown", "look_before", "baseline"),
        *("allow_repeats", "allow_shared"),
    }
)
_TEXTS = frozenset({"fixes", "delimiter", "encoding", "sheet"})
_MAPPINGS = frozenset({"maps", "constants", "rounding"})
_WORDS = frozenset({"blanks", "hold", "ignored", "accept"})
_FORMATS = ("csv", "parquet", "xlsx")


def check_options(given: Mapping[str, Any]) -> None:
    """SetupError for the first option whose value is not of its kind, or out of bounds."""
    for name, value in given.items():
        wanted = _wanted(name, value)
        if wanted is not None:
            raise SetupError(f"{name}={value!r}: must be {wanted}")


def rate_from(value: object) -> Rate:
    """A number of requests a second, 0 for no limit, or ``auto``; SetupError for anything else."""
    if value == "auto":
        return Rate(auto=True)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6:
        return Rate(float(value))
    raise SetupError(f'rate={value!r}: must be requests a second, 0 for no limit, or "auto"')


def _wanted(name: str, value: object) -> str | None:
    """What an option must be, in words, where ``value`` is not."""
    ok, words = True, ""
    if name in _WHOLE:
        least, most = _WHOLE[name]
        ok = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        words = f"a whole number {_between(least, most)}"
    elif name in _NUMBERS:
        low, high = _NUMBERS[name]
        # No number lies between bounds and is NaN.
        ok = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        words = f"a number {_between(low, high)}"
    elif name in _FLAGS:
        ok, words = isinstance(value, bool), "True or False"
    elif name in _TEXTS:
        ok, words = isinstance(value, str), "text"
    elif name in _MAPPINGS:
        ok, words = _is_mapping_of_text(value), "a mapping of text to text"
    elif name == "values":
        ok = isinstance(value, Mapping) and all(map(_is_mapping_of_text, value.values()))
        words = "a mapping of fields to mappings of text to text"
    elif name in _WORDS:
        ok, words = _is_list(value), "a list of texts"
    elif name == "format":
        ok, words = value in _FORMATS, f"one of {', '.join(_FORMATS)}"
    return None if ok else words


def check_list(name: str, value: object) -> None:
    """SetupError where it is not several texts or paths: of a single text the characters would be taken."""
    if not _is_list(value):
        raise SetupError(f"{name}={value!r}: must be a list of texts")


def path_from(name: str, value: object) -> Path:
    """A path; SetupError where it is none, or empty, which would be the current directory."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value) or "\0" in str(value):
        raise SetupError(f"{name}={value!r}: must be a path")
    return Path(value)


def _is_list(value: object) -> bool:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return False
    # What can be gone through only once is not used up here.
    return iter(value) is value or all(isinstance(each, str | os.PathLike) for each in value)


def _is_mapping_of_text(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, str) for pair in value.items() for each in pair)


def _between(least: float, most: float) -> str:
    return f"of at least {least:g}" if most == math.inf else f"between {least:g} and {most:g}"
