"""httpx with aiometer, as aiometer's documentation shows it: one shared client, so many requests at once."""

from __future__ import annotations

import asyncio
import csv
import functools
import sys
from pathlib import Path

import aiometer
import httpx


async def send(client: httpx.AsyncClient, url: str, row: dict[str, str]) -> None:
    """Create one identifier."""
    answer = await client.post(url, json=row)
    answer.raise_for_status()
    answer.json()


async def main(base_url: str, token: str, manifest: Path, in_flight: int) -> None:
    """Create every identifier of the manifest."""
    url = f"{base_url}/api/v3/oauth/clients/contact-identifiers"
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, limits=limits, timeout=None) as client:
        await aiometer.run_on_each(functools.partial(send, client, url), rows, max_at_once=in_flight)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))
