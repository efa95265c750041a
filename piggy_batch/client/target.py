"""Which service, as whom: address, token, certificates."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import httpx

from piggy_batch.client.secret_mask import SecretMask
from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path


LONGEST_TOKEN = 16 * 1024  # bytes of a token file
_QUOTES = frozenset("\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb")


@dataclass(frozen=True, slots=True)
class Target:
    """Which service, as whom. ``repr`` hides the token."""

    base_url: str
    token: str
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"Target(base_url={self.base_url!r}, token=…)"

    @property
    def loopback(self) -> bool:
        """Whether the service is on this machine."""
        host = httpx.URL(self.base_url).host
        if host == "localhost":
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False


def make_target(base_url: str, token: str, ca_file: Path | None = None) -> Target:
    """Check address and token; SetupError where one cannot be used."""
    if SecretMask(token).text(base_url) != base_url:
        raise SetupError("--base-url holds the token; write only the address there, as https://api.piggy.eu")
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL:
        url = httpx.URL()
    is_port = url.port is None or 0 < url.port < 2**16
    if (
        url.scheme not in {"https", "http"} or not url.host or not is_port
    ):  # not repeated: it may be a token in the wrong place
        raise SetupError("what --base-url names is no address; write it as https://api.piggy.eu")
    if url.userinfo or url.query or url.fragment:
        raise SetupError("--base-url must be only a scheme, a host and perhaps a port: no user, query or fragment")
    target = Target(str(url).rstrip("/"), token, ca_file)
    if url.scheme != "https" and not target.loopback:
        raise SetupError("--base-url is not https, so the token could be read on the way; use https")
    if not _QUOTES.isdisjoint({token[:1], token[-1:]}):
        raise SetupError("the token is in quotes; give it without them")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise SetupError("the token holds characters that no token has; copy it again, without line breaks")
    return target


def read_token(token_file: Path | None) -> str:
    """The token, from ``PIGGY_TOKEN`` or the token file; SetupError where there is none.

    A name of no file is not repeated: it may be the token itself.
    """
    text = os.environ.get("PIGGY_TOKEN", "").strip()
    if token_file is not None:
        try:
            with token_file.open("rb") as file:
                found = file.read(LONGEST_TOKEN + 1)
            text = found.decode("utf-8-sig").strip()
        except OSError as error:
            named = str(token_file) if os.access(token_file, os.F_OK) else "the file that it names"
            raise SetupError(
                f"--token-file: {named}: {error.strerror}; it takes the name of a file that holds the token"
            ) from None
        except UnicodeDecodeError:
            raise SetupError(f"--token-file {token_file}: it is not text") from None
        if len(found) > LONGEST_TOKEN:
            raise SetupError(f"--token-file {token_file}: it holds more than any token; name the file with the token")
        if not text:
            raise SetupError(f"--token-file {token_file} is empty; put the token in it")
    if not text:
        raise SetupError(
            "no token: set PIGGY_TOKEN, name a file with --token-file, or an account with --profile; to rehearse, "
            'start piggy-batch sandbox in another terminal and type: eval "$(piggy-batch sandbox --print-env)"'
        )
    return text
