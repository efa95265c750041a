"""Tokens: which account each belongs to, what it may do, how long it is good (DUMP; bodies inferred)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.sandbox.http.messages import JSON_TYPE, SandboxReply, encode, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.sandbox.settings import Settings


OAUTH_EXPIRES_S = 3600


@dataclass(slots=True)
class TokenGrant:
    """What a token is good for.

    ``left``: so many requests more, None = any number; times in seconds since 1970.
    """

    account: str
    contacts: bool = True
    expires_at: float | None = None
    left: int | None = None


class Tokens:
    """The tokens that the service knows now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made = 0
        self.grants = {settings.token: TokenGrant(settings.account_uuid, left=settings.expires_after)}
        for token in settings.no_contacts_tokens:
            self.grants[token] = TokenGrant(settings.account_uuid, contacts=False)
        for token, (_, uuid) in settings.other_tokens.items():
            self.grants[token] = TokenGrant(uuid)
        for token, moment in settings.expires_at.items():
            self.grants.setdefault(token, TokenGrant(settings.account_uuid)).expires_at = moment

    def grant(self, header: bytes | None, now: float) -> TokenGrant | None:
        """The grant behind an Authorization header, one request of it used; None if it is no good."""
        if header is None or header[:7].lower() != b"bearer ":
            return None
        grant = self.grants.get(header[7:].strip().decode("latin-1"))
        if grant is None or (grant.expires_at is not None and now >= grant.expires_at):
            return None
        if grant.left is not None:
            if grant.left <= 0:
                return None
            grant.left -= 1
        return grant

    def refusal(self) -> SandboxReply:
        """The 401: the framework's body, the OAuth server's, or none (switch; undocumented)."""
        match self._settings.unauthorized_body:
            case "oauth":
                text = "The access token is invalid."
                return SandboxReply(401, encode({"error": "invalid_token", "error_description": text, "message": text}))
            case "empty":
                return SandboxReply(401, b"", (JSON_TYPE,))
            case _:
                return plain(401, "Unauthenticated.")

    def issue(self, values: Mapping[str, object], now: float) -> SandboxReply:
        """POST /oauth/token with client credentials: a token and how long it lives (DUMP, stated).

        The client's id is a whole number (SDK, stated), which a form sends as text.
        """
        settings = self._settings
        if values.get("grant_type") != "client_credentials":
            return plain(400, "The grant type is not supported.", error="unsupported_grant_type")
        client = str(values.get("client_id")), values.get("client_secret")
        if client != (str(settings.client_id), settings.client_secret):
            return plain(401, "Client authentication failed", error="invalid_client")
        self._made += 1
        token = f"sandbox-oauth-{self._made}"
        self.grants[token] = TokenGrant(settings.account_uuid, expires_at=now + OAUTH_EXPIRES_S)
        answer = {"token_type": "Bearer", "expires_in": OAUTH_EXPIRES_S, "access_token": token}
        return SandboxReply(200, encode(answer))
