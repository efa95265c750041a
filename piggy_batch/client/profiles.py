"""Profiles: what belongs to one account, by a name, from a file in the user's configuration directory.

A profile only stands in where neither an option nor the environment says anything: its values become the defaults of
the options of the same meaning. The file holds no token but where one insists, and only its owner may read it.
"""

from __future__ import annotations

import math
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.client.target import read_token
from piggy_batch.errors import SetupError
from piggy_batch.text import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEYRING_SERVICE = "piggy-batch"
INSISTS = "token_in_clear"
EXAMPLE = """\
[shop-a]
base_url = "https://api.piggy.eu"
token_file = "shop-a.token"   # beside this file; or: keyring = "shop-a"
shop = "9d66eec2-10ee-41f6-af6b-2dec89025cb3"
rate = 20                     # requests a second
currency = "EUR"

[shop-a.accounts]             # of the ledger, for the finance journal
outstanding = "2210"
redeemed = "8010"

[shop-a.currencies]           # of programs that are not in the currency above
"3f0c7b1e-5a55-4c0e-9d0a-0c8f6d2b7a11" = "GBP"
"""
_BARE_ADDRESS = re.compile(r"https?://[^@?#\s]+").fullmatch
TEXTS = ("base_url", "token_file", "keyring", "token", "shop", "currency", "timezone")
TABLES = ("accounts", "currencies")
KEYS = (*TEXTS, "rate", *TABLES, INSISTS)
SOURCES = ("token_file", "keyring", "token")  # where a token may come from: one of them


@dataclass(frozen=True, slots=True)
class Profile:
    """One account's settings. ``repr`` shows no token."""

    name: str
    folder: Path  # that of the file: a token file's name is relative to it
    values: Mapping[str, Any] = field(repr=False)

    @property
    def token_file(self) -> Path | None:
        """The file with the token; None: the token comes from elsewhere."""
        named = self.values.get("token_file")
        return None if named is None else self.folder / Path(named).expanduser()

    @property
    def token_source(self) -> str:
        """Where the token comes from, for people."""
        if self.token_file is not None:
            return f"file {self.token_file}"
        if "keyring" in self.values:
            return f"keyring {KEYRING_SERVICE} {self.values['keyring']}"
        return "in this file" if "token" in self.values else "not here"

    def token(self) -> str | None:
        """The token from keyring or profile; None: from a token file, or from elsewhere."""
        if "keyring" in self.values:
            return _from_keyring(str(self.values["keyring"]))
        found: str | None = self.values.get("token")
        return found

    def defaults(self) -> dict[str, Any]:
        """Defaults for options, by the names of their parameters. No token is among them."""
        found = {name: self.values[name] for name in ("base_url", "shop", "rate") if name in self.values}
        if "timezone" in self.values:
            found["timezone_name"] = self.values["timezone"]
        others = [f"{program}={code}" for program, code in self.values.get("currencies", {}).items()]
        if currencies := [*([self.values["currency"]] if "currency" in self.values else []), *others]:
            found["currencies"] = currencies
        if self.values.get("accounts"):
            found["accounts"] = [f"{name}={number}" for name, number in self.values["accounts"].items()]
        return found


def profiles_path() -> Path:
    """The file of profiles, whether it is there or not."""
    named = os.environ.get("XDG_CONFIG_HOME")
    return (Path(named) if named else Path.home() / ".config") / "piggy-batch" / "profiles.toml"


def read_profiles() -> dict[str, Profile]:
    """Every profile of the file by its name, none where there is no file; SetupError where it cannot be used."""
    import tomllib  # only who uses profiles pays for it

    path = profiles_path()
    try:
        if stat.S_ISFIFO(path.stat().st_mode) or stat.S_ISCHR(path.stat().st_mode):  # either may never end
            raise SetupError(f"{path}: is no regular file")
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            text = file.read().decode("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: {getattr(error, 'strerror', None) or 'it is not text'}") from None
    if about.st_uid != os.getuid() or stat.S_IMODE(about.st_mode) & 0o077:
        raise SetupError(f"{path} can be read by others, so it is not used; run: chmod 600 {path}")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path}: {error}") from None
    return {name: _profile(name, values, path) for name, values in found.items()}


def find_profile(name: str) -> Profile:
    """The profile of that name; SetupError where there is none, which does not repeat it: it may be a token."""
    known = read_profiles()
    if name in known:
        return known[name]
    path = profiles_path()
    has = f"{path} has {', '.join(known)}" if known else f"{path} has none"
    raise SetupError(f"--profile: there is no such profile{nearest(name, known)}; {has}")


def choose_token(token_file: Path | None, profile: Profile | None, notify: Callable[[str], None]) -> str:
    """The token: of a file that was named, of the environment, of the profile, in this order.

    ``notify`` is told where the environment wins over a profile, and which token file others can read.
    """
    if token_file is None and profile is not None:
        if os.environ.get("PIGGY_TOKEN", "").strip():
            notify(f"note: the token is that of PIGGY_TOKEN, which wins over the profile {profile.name}")
        elif token := profile.token():
            return token
        else:
            token_file = profile.token_file
    found = read_token(token_file)
    if token_file is not None and token_file.stat().st_mode & 0o077:
        notify(f"note: {token_file} can be read by others; run: chmod 600 {token_file}")
    return found


def _profile(name: str, values: Any, path: Path) -> Profile:
    where = f"{path}, [{name}]"
    if not isinstance(values, dict):
        raise SetupError(f"{path}: {name} stands outside a profile; write [NAME] above it")
    for key, value in values.items():
        if key not in KEYS:
            raise SetupError(f"{where}: unknown key {key}{nearest(key, KEYS)}; a profile has {', '.join(KEYS)}")
        if not _is_sound(key, value):
            raise SetupError(f"{where}: {key} is not written as it must be; see: piggy-batch profiles --example")
    sources = [key for key in SOURCES if key in values]
    if len(sources) > 1:
        raise SetupError(f"{where}: {' and '.join(sources)} both name a token; keep one")
    if "token" in values and values.get(INSISTS) is not True:
        raise SetupError(
            f"{where}: the token stands there in the clear; put it into a file of its own (token_file) or the keyring, "
            f"or insist with {INSISTS} = true"
        )
    return Profile(name, path.parent, values)


def _is_sound(key: str, value: Any) -> bool:
    if key == "rate":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value == "auto" or (is_number and 0 <= value < math.inf)
    if key == INSISTS:
        return isinstance(value, bool)
    if key in TABLES:
        return isinstance(value, dict) and all(isinstance(v, str) or type(v) is int for v in value.values())
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        return False
    if key == "base_url":  # one with a user, a query or a fragment may hold a secret, and addresses are shown
        return _BARE_ADDRESS(value) is not None
    return key != "token_file" or _has_home(value)


def _has_home(name: str) -> bool:
    """Whether a path begins with no ``~`` of somebody who is not here."""
    try:
        Path(name).expanduser()
    except RuntimeError:
        return False
    return True


def _from_keyring(name: str) -> str:
    try:
        import keyring
    except ImportError:
        raise SetupError("a token from the keyring needs an extra: pip install 'piggy-batch[keyring]'") from None
    try:
        found: str | None = keyring.get_password(KEYRING_SERVICE, name)
    except Exception as error:  # noqa: BLE001 - each keyring has errors of its own
        raise SetupError(f"the keyring cannot be asked: {type(error).__name__}") from None
    if not found:
        raise SetupError(
            f"the keyring has no token for {name}; put it there with: keyring set {KEYRING_SERVICE} {name}"
        )
    return found
