"""Named repairs of values, as ``--fix trim,wrappers,zero-pad:13,case:upper`` asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from piggy_batch.errors import SetupError
from piggy_batch.manifest.doctor.values import trimmed, undecimal, unwrapped, unwrapped_text, without_spaces

if TYPE_CHECKING:
    from collections.abc import Callable

KNOWN = "trim, wrappers, formats, decimals, spaces, zero-pad:LENGTH, case:upper or case:lower"
_WORDS = ("trim", "wrappers", "formats", "decimals", "spaces")


@dataclass(frozen=True, slots=True)
class Fixes:
    """Repairs to apply to a value, always in the order of the fields; false where there is none."""

    trim: bool = False  # outer white space, and invisible characters anywhere
    wrappers: bool = False  # ="0012", '0012 and quotes around a value
    formats: bool = False  # numbers as a workbook's cell formats show them; done by the reader
    decimals: bool = False  # 12.0
    spaces: bool = False  # white space anywhere
    zero_pad: int = 0  # digits shorter than this get zeros in front; 0: no padding
    case: Literal["", "upper", "lower"] = ""

    def __bool__(self) -> bool:
        return self != Fixes()

    def apply(self, value: str) -> str:
        """The repaired value; applying twice changes nothing more. A blank value stays as it is."""
        bare = ""
        while bare != value:  # what a wrapper held may need the same again, and so may what another case has made
            bare = value
            value = self._cased(self._bared(value))
        if value and len(value) < self.zero_pad and value.isascii() and value.isdigit():
            value = value.zfill(self.zero_pad)
        return value

    def _cased(self, value: str) -> str:
        if self.case == "upper":
            return value.upper()
        return value.lower() if self.case == "lower" else value

    def for_text(self) -> Fixes:
        """Of these repairs those that leave a name a name."""
        return Fixes(trim=self.trim, wrappers=self.wrappers)

    def apply_to_text(self, value: str) -> str:
        """The repaired text of a name, a number or another field that is no code."""
        bare = ""
        while bare != value:
            bare = value
            value = self._bared(value, unwrapped_text)
        return value

    def _bared(self, value: str, unwrap: Callable[[str], str] = unwrapped) -> str:
        if self.trim:
            value = trimmed(value)
        if self.spaces:
            value = without_spaces(value)
        if self.wrappers:
            value = unwrap(value)
        return undecimal(value) if self.decimals else value

    def __str__(self) -> str:
        """The one spelling of these repairs, which binds a run."""
        words = [name for name in _WORDS if getattr(self, name)]
        words += [f"zero-pad:{self.zero_pad}"] if self.zero_pad else []
        words += [f"case:{self.case}"] if self.case else []
        return ",".join(words)


def parse_fixes(text: str) -> Fixes:
    """The repairs named in an option's text; SetupError for a name that is none."""
    chosen: dict[str, bool] = {}
    pad = 0
    case: Literal["", "upper", "lower"] = ""
    for word in filter(None, (part.strip().lower() for part in text.split(","))):
        name, _, argument = word.partition(":")
        if name in _WORDS and not argument:
            chosen[name] = True
        elif name == "zero-pad":
            pad = _length(argument)
        elif word == "case:upper":
            case = "upper"
        elif word == "case:lower":
            case = "lower"
        else:
            raise SetupError(f'--fix "{word}" is no repair; use {KNOWN}')
    return Fixes(**chosen, zero_pad=pad, case=case)


def _length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 64):
        raise SetupError(f"--fix zero-pad:{text} needs a length from 1 to 64, such as zero-pad:13")
    return int(text)
