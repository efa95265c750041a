"""What a sandbox says of itself once it listens: where it is, who may ask, and what a person needs to name."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.sandbox.service import Sandbox


def environment_of(sandbox: Sandbox, base_url: str) -> Mapping[str, str]:
    """Variables by their names, address and token first; the UUIDs of the first shop and of every program."""
    settings, world = sandbox.settings, sandbox.world
    programs = [program.uuid for program in world.cards.programs.values()]
    return {
        "PIGGY_BASE_URL": base_url,
        "PIGGY_TOKEN": settings.token,
        "PIGGY_SHOP_UUID": next(iter(world.ledger.shops.values())).uuid,
        **{
            "PIGGY_GIFTCARD_PROGRAM_UUID" + ("" if number == 1 else f"_{number}"): uuid
            for number, uuid in enumerate(programs, 1)
        },
        "PIGGY_CLIENT_ID": str(settings.client_id),
        "PIGGY_CLIENT_SECRET": settings.client_secret,
    }


def as_lines(sandbox: Sandbox, base_url: str) -> str:
    """``NAME=value``, one a line."""
    return "".join(f"{name}={value}\n" for name, value in environment_of(sandbox, base_url).items())


def as_exports(sandbox: Sandbox, base_url: str) -> str:
    """The same for a shell to evaluate: ``export NAME=value``, one a line, quoted where need be."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment_of(sandbox, base_url).items())


def as_json(sandbox: Sandbox, base_url: str) -> str:
    """The same as one line of JSON, with every shop and program by name."""
    settings, world = sandbox.settings, sandbox.world
    told = {
        "base_url": base_url,
        "token": settings.token,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "shops": [{"uuid": shop.uuid, "name": shop.name} for shop in world.ledger.shops.values()],
        "giftcard_programs": [{"uuid": each.uuid, "name": each.name} for each in world.cards.programs.values()],
    }
    return json.dumps(told) + "\n"
