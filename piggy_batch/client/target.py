"""Which service, as whom: address, token, certificates."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import httpx

from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path


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
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise SetupError(f"--base-url {base_url!r} is no address: {error}") from None
    if url.scheme not in {"https", "http"} or not url.host:
        raise SetupError(f"--base-url {base_url!r} is no address; write it as https://api.piggy.eu")
    if url.userinfo or url.query or url.fragment:
        raise SetupError("--base-url must be only a scheme, a host and perhaps a port: no user, query or fragment")
    target = Target(str(url).rstrip("/"), token, ca_file)
    if url.scheme != "https" and not target.loopback:
        raise SetupError(f"--base-url {base_url} is not https, so the token could be read on the way; use https")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise SetupError("the token holds characters that no token has; copy it again, without line breaks")
    return target


def read_token(token_file: Path | None) -> str:
    """The token, from ``PIGGY_TOKEN`` or the token file; SetupError where there is none."""
    text = os.environ.get("PIGGY_TOKEN", "").strip()
    if token_file is not None:
        try:
            text = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SetupError(f"--token-file {token_file}: {why}") from None
        if not text:
            raise SetupError(f"--token-file {token_file} is empty; put the token in it")
    if not text:
        raise SetupError("no token: set PIGGY_TOKEN, name a file with --token-file, or an account with --profile")
    return text
