"""Which service, as whom, for the Python functions."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from piggy_batch.client import DEFAULT_URL
from piggy_batch.client.profiles import choose_token, find_profile
from piggy_batch.client.target import Target, make_target
from piggy_batch.errors import SetupError
from piggy_batch.library.waiting import CallbackProgress, logger
from piggy_batch.runs.context import RunContext
from piggy_batch.runs.registry import state_dir

if TYPE_CHECKING:
    from piggy_batch.runs.stopper import Stopper


GOES_ON = "the same call from Python"  # what goes on with a run that was begun there


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to work for. What is None comes from the environment (PIGGY_TOKEN, PIGGY_TOKEN_FILE, PIGGY_BASE_URL), and
    what is not there from the profile: a name in the user's file of profiles.

    ``token`` is for schedulers that keep secrets themselves; ``repr`` hides it.
    """

    profile: str | None = None
    base_url: str | None = None
    token_file: str | os.PathLike[str] | None = None
    ca_file: str | os.PathLike[str] | None = None
    token: str | None = field(default=None, repr=False)

    def target(self) -> Target:
        """Address and token; SetupError where there is none.

        A value that is empty is refused: the environment's would be another account than was meant.
        """
        given = {
            "profile": self.profile,
            "base_url": self.base_url,
            "token_file": self.token_file,
            "ca_file": self.ca_file,
            "token": self.token,
        }
        for name, value in given.items():
            if value is not None and not (isinstance(value, str | os.PathLike) and str(value).strip()):
                raise SetupError(f"Account: {name} is empty or no text; leave it out to use the environment's")
        profile = find_profile(self.profile) if self.profile is not None else None
        known = profile.values.get("base_url") if profile is not None else None
        base_url = self.base_url or os.environ.get("PIGGY_BASE_URL") or known or DEFAULT_URL
        token_file = self.token_file or os.environ.get("PIGGY_TOKEN_FILE") or None
        token = self.token or choose_token(Path(token_file) if token_file else None, profile, logger.warning)
        target = make_target(base_url, token, Path(self.ca_file) if self.ca_file is not None else None)
        if profile is not None and self.base_url is None and known not in (None, base_url):
            logger.warning(
                "note: the address is that of PIGGY_BASE_URL, %s, which wins over the profile %s",
                target.base_url,
                profile.name,
            )
        return target

    def context(self, progress: CallbackProgress, stopper: Stopper) -> RunContext:
        """Where a function runs."""
        return RunContext(
            target=self.target(),
            progress=progress,
            command=GOES_ON,
            signals=True,
            stopper=stopper,
            shared_rate_dir=state_dir(),
            registry_dir=state_dir(),
        )
