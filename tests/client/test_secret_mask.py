"""The token in what comes in, however a gateway writes it."""

from __future__ import annotations

import base64
import html
import json
import tracemalloc
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piggy_batch.client.secret_mask import LONGEST, MASK, PIECE, SHORTEST, SecretMask

TOKEN = "12|s3cr3t/T0ken+that-nobody_may.see~" * 3
BEARER = f"Bearer {TOKEN}"


def wrapped(text: str, end: str, width: int = 20) -> str:
    """Cut into lines."""
    return end.join(text[i : i + width] for i in range(0, len(text), width))


SPELLINGS = {
    "raw": TOKEN,
    "percent-encoded": quote(TOKEN, safe=""),
    "percent-encoded in small letters": quote(TOKEN, safe="").replace("%7C", "%7c").replace("%2F", "%2f"),
    "percent-encoded in an encoded address": quote(quote(TOKEN, safe=""), safe=""),
    "percent-encoded three times": quote(quote(quote(TOKEN, safe=""), safe=""), safe=""),
    "as a page writes it": "".join(c if c.isalnum() else f"&#{ord(c)};" for c in TOKEN),
    "as a page writes it, in hexadecimal": "".join(c if c.isalnum() else f"&#x{ord(c):X};" for c in TOKEN),
    "every character percent-encoded": "".join(f"%{ord(c):02x}" for c in TOKEN),
    "in lines": wrapped(TOKEN, "\n"),
    "in indented lines": wrapped(TOKEN, "\r\n    "),
    "in lines as JSON writes them": wrapped(TOKEN, "\\n"),
    "as JSON of PHP": TOKEN.replace("/", "\\/"),
    "as JSON escapes": "".join(f"\\u{ord(c):04x}" for c in TOKEN),
    "as JSON escapes in JSON": "".join(f"\\\\u{ord(c):04x}" for c in TOKEN),
    "as a program's text": "".join(f"\\x{ord(c):02x}" for c in TOKEN),
    "every character as a page writes it": "".join(f"&#{ord(c)};" for c in TOKEN),
    "as a page writes a page": "".join(c if c.isalnum() else f"&amp;#{ord(c)};" for c in TOKEN),
    "as a page names it": TOKEN.replace("|", "&vert;").replace("/", "&sol;").replace("+", "&plus;"),
    "hexadecimal": TOKEN.encode().hex(),
    "hexadecimal in lines": TOKEN.encode().hex(" ", 16).upper().replace(" ", "\n"),
    "in UTF-16": "\0".join(TOKEN),
    "plus signs read as spaces": TOKEN.replace("+", " "),
    "Base64": base64.b64encode(TOKEN.encode()).decode(),
    "Base64 behind one character": base64.b64encode(f":{TOKEN}".encode()).decode(),
    "Base64 of the header": base64.b64encode(BEARER.encode()).decode(),
    "Base64 in lines": base64.encodebytes(f"user:{TOKEN}".encode()).decode(),
    "Base64 for addresses": base64.urlsafe_b64encode(f"ab{TOKEN}".encode()).decode().rstrip("="),
    "Base64, percent-encoded": quote(base64.b64encode(TOKEN.encode()).decode(), safe=""),
}


@pytest.mark.hostile("18.10 a token that is repeated by the service is stored or shown")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_token_is_masked_however_it_is_written(spelling: str) -> None:
    """What stands before and after stays, but for what Base64 makes of a group's rest."""
    mask = SecretMask(TOKEN)
    found = mask.text(f"before {SPELLINGS[spelling]} after")
    assert found.startswith("before ")
    assert found.endswith(" after")
    assert MASK in found
    assert len(found) < 60
    assert mask.text(found) == found


ODD = "ab\"c&d+e/f=g\\h\\t'i-jK9Zs3cr3t"


@pytest.mark.hostile("18.10 a token that is repeated by the service is stored or shown")
@pytest.mark.parametrize(
    "spelling",
    [
        ODD,
        json.dumps({"h": ODD}),
        json.dumps({"h": json.dumps({"h": ODD})}),
        json.dumps(ODD).replace("&", "\\u0026").replace("/", "\\/"),
        html.escape(ODD),
        html.escape(json.dumps(ODD)),
        json.dumps({"h": html.escape(ODD)}),
        html.escape(html.escape(ODD)),
        repr(ODD),
        quote(html.escape(ODD)),
    ],
)
def test_a_token_of_odd_characters_is_masked(spelling: str) -> None:
    """Quotes, a backslash, an ampersand: as text, and as a text in JSON, which is known before it is decoded."""
    mask = SecretMask(ODD)
    assert "s3cr3t" not in mask.text(f"before {spelling} after")
    body = json.dumps({spelling: [spelling]})
    assert mask.may_be_in(body.encode())
    assert "s3cr3t" not in json.dumps(mask.json(json.loads(body)))


def test_a_token_of_digits_is_masked_where_json_has_it_as_a_number() -> None:
    """Other numbers stay numbers."""
    mask = SecretMask("123456789012")
    assert mask.json({"a": 123456789012, "b": 7, "c": True}) == {"a": MASK, "b": 7, "c": True}


def test_a_text_that_is_too_long_to_search_goes_as_a_whole() -> None:
    """Only where it may hold the token."""
    mask = SecretMask(TOKEN)
    assert mask.text("x" * LONGEST + TOKEN) == MASK
    assert mask.text("x" * (LONGEST + 1)) == "x" * (LONGEST + 1)


def test_an_answer_is_masked_in_names_and_values_at_any_depth() -> None:
    """Lists, objects and their keys; what is no text stays as it is."""
    mask = SecretMask(TOKEN)
    body = {"a": [1, None, True, {TOKEN: f"x {TOKEN}"}], "b": "plain"}
    assert mask.may_be_in(json.dumps(body).encode())
    assert mask.json(body) == {"a": [1, None, True, {MASK: f"x {MASK}"}], "b": "plain"}


def test_bodies_that_hold_nothing_are_known_at_once() -> None:
    """An ordinary answer is not looked through; escapes of characters that need none are suspicious."""
    mask = SecretMask(TOKEN)
    assert not mask.may_be_in(
        json.dumps({"name": "Ané", "link": "https:\\/\\/x.test\\/a%20b", "lines": "a\nb"}).encode()
    )
    assert mask.may_be_in(b'{"a": "\\u0041"}')
    assert mask.may_be_in(json.dumps({"a": TOKEN}).encode("utf-16"))


@pytest.mark.parametrize("place", range(PIECE - 2 * len(TOKEN), PIECE + 4, 41))
def test_a_large_body_is_looked_through_in_pieces(place: int) -> None:
    """Also where the percent-encoded token lies across the end of a piece."""
    mask = SecretMask(TOKEN)
    assert mask.may_be_in(b"x" * place + quote(TOKEN, safe="").encode() + b"x" * 99)
    assert not mask.may_be_in(b"x" * place + quote(TOKEN[:-1], safe="").encode() + b"x" * 99)


def test_percent_signs_take_no_more_memory_than_other_bytes() -> None:
    """A few bytes may unpack to ten million of them."""
    body = b"%41" * 2_000_000
    tracemalloc.start()
    try:
        assert not SecretMask(TOKEN).may_be_in(body)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_backslashes_take_no_more_time_than_other_bytes() -> None:
    """A run of them is looked through once, not once for each of its places: these would take hours."""
    body = b"\n" + b"\\" * 2_000_000 + b"x"
    assert not SecretMask(TOKEN).may_be_in(body)
    assert SecretMask(TOKEN).may_be_in(b"\\" * 99 + wrapped(TOKEN, "\\\\n").encode())


def test_a_token_that_is_a_word_is_not_looked_for() -> None:
    """That of a rehearsal may stand in any answer, and is no secret."""
    short = "s" * (SHORTEST - 1)
    assert SecretMask(short).text(f"a {short} b") == f"a {short} b"


@given(st.text(max_size=200), st.text(max_size=20))
def test_other_texts_stay_as_they_are(text: str, more: str) -> None:
    """Whatever comes in, it is changed only where the token stands."""
    mask = SecretMask(TOKEN)
    assert mask.text(text) == text
    assert mask.text(f"{text} {TOKEN} {more}") == f"{text} {MASK} {more}"
