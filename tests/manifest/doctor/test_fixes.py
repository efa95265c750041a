"""Named repairs: what each mends, in which order, and that a second pass changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piggy_batch.errors import SetupError
from piggy_batch.manifest.doctor import Fixes, normal_form, parse_fixes

PIECES = st.sampled_from(["=", '"', "'", " ", "\u00a0", "\u200b", "0", "7", ".0", ",0", "a", "B", "ß", "\n", "-"])
SOILED = st.lists(PIECES, max_size=8).map("".join)
FIXES = st.builds(
    Fixes,
    trim=st.booleans(),
    wrappers=st.booleans(),
    decimals=st.booleans(),
    spaces=st.booleans(),
    zero_pad=st.integers(0, 9),
    case=st.sampled_from(["", "upper", "lower"]),
)


@pytest.mark.parametrize(
    ("fixes", "value", "mended"),
    [
        ("trim", " \u00a012\u200b34\t", "1234"),
        ("trim", "12\u00a034", "12 34"),
        ("trim", '="12"', '="12"'),
        ("wrappers", '="0012"', "0012"),
        ("wrappers", "'0012", "0012"),
        ("wrappers", "O'Neill", "O'Neill"),
        ("wrappers", "b'0012'", "0012"),
        ("wrappers", '\\"0012\\"', "0012"),
        ("wrappers", "&quot;0012&quot;", "0012"),
        ("wrappers", "=0012", "0012"),
        ("wrappers", '"0012', "0012"),
        ("wrappers", '"00"12"', '"00"12"'),
        ("trim,wrappers", ' =" 0012 " ', "0012"),
        ("decimals", "123.0", "123"),
        ("decimals", "123,00", "123"),
        ("decimals", "1.05", "1.05"),
        ("spaces", "6006 5000\u00a01234", "600650001234"),
        ("zero-pad:13", "712345678901", "0712345678901"),
        ("zero-pad:13", "12345678901234", "12345678901234"),
        ("zero-pad:13", "ABC", "ABC"),
        ("zero-pad:13", "", ""),
        ("case:upper", "ab12", "AB12"),
        ("case:lower", "AB12", "ab12"),
        ("case:upper,zero-pad:6,wrappers,trim", ' ="12" ', "000012"),
        ("trim,decimals,zero-pad:6", "12.0 ", "000012"),
    ],
)
def test_repair_mends(fixes: str, value: str, mended: str) -> None:
    """Each repair changes what it is for and nothing else."""
    assert parse_fixes(fixes).apply(value) == mended


@given(FIXES, SOILED)
def test_repairs_are_final(fixes: Fixes, value: str) -> None:
    """Repairing what is repaired changes nothing, so an errors file can be fed again with the same repairs."""
    assert fixes.apply(fixes.apply(value)) == fixes.apply(value)


@given(FIXES)
def test_repairs_have_one_spelling(fixes: Fixes) -> None:
    """The text of repairs reads back as the same repairs, whatever order they were typed in."""
    assert parse_fixes(str(fixes)) == fixes
    assert parse_fixes(",".join(reversed(str(fixes).split(",")))) == fixes
    assert bool(fixes) == bool(str(fixes))


@pytest.mark.parametrize("text", ["trin", "zero-pad", "zero-pad:", "zero-pad:0", "zero-pad:99", "case:", "trim:1"])
def test_unknown_repair_is_refused(text: str) -> None:
    """A repair that does not exist is a usage error that names the ones that do."""
    with pytest.raises(SetupError, match=r"--fix"):
        parse_fixes(text)


@given(SOILED, st.sampled_from(["{}", " {}", "{}\u00a0", "\u200b{}"]), st.booleans())
def test_normal_form_ignores_case_and_space(value: str, frame: str, upper: bool) -> None:
    """Values that differ by case and space alone share a normal form."""
    other = frame.format(value.upper() if upper else value)
    assert normal_form(other) == normal_form(value)
    assert normal_form(normal_form(value)) == normal_form(value)
