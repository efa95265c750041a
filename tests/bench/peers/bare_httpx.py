"""A bare httpx loop: one client for each worker, one SSL context for all; no journal, no reports, no retries."""

from __future__ import annotations

import asyncio
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator


async def main(base_url: str, token: str, manifest: Path, in_flight: int) -> None:
    """Create every identifier of the manifest."""
    context = httpx.create_ssl_context()
    url = f"{base_url}/api/v3/oauth/clients/contact-identifiers"

    async def work(rows: Iterator[dict[str, str]]) -> None:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, verify=context) as client:
            for row in rows:
                answer = await client.post(url, json=row)
                answer.raise_for_status()
                answer.json()

    with manifest.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        await asyncio.gather(*(work(rows) for _ in range(in_flight)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))
