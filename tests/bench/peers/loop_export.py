"""The loop most people write: one ``requests.Session``, a page at a time, into a CSV file."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import requests

FIELDS = ("uuid", "type", "hash", "amount_in_cents", "active", "upgradeable", "expiration_date", "program")


def main(base_url: str, token: str, target: str) -> None:
    """Read every page of giftcards."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    page, last_page = 1, 1
    with Path(target).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore")
        writer.writeheader()
        while page <= last_page:
            answer = session.get(f"{base_url}/api/v3/oauth/clients/giftcards", params={"page": page, "limit": 100})
            answer.raise_for_status()
            found = answer.json()
            writer.writerows({**card, "program": card["giftcard_program"]["name"]} for card in found["data"])
            last_page = found["meta"]["last_page"]
            page += 1


if __name__ == "__main__":
    main(*sys.argv[1:4])
