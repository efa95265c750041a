"""The loop most people write: ``DataFrame.iterrows`` and one ``requests.Session``, a row at a time."""

from __future__ import annotations

import sys

import pandas as pd
import requests


def main(base_url: str, token: str, manifest: str) -> None:
    """Create every identifier of the manifest."""
    frame = pd.read_csv(manifest, dtype=str)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    for _, row in frame.iterrows():
        answer = session.post(f"{base_url}/api/v3/oauth/clients/contact-identifiers", json=row.to_dict())
        answer.raise_for_status()
        answer.json()


if __name__ == "__main__":
    main(*sys.argv[1:4])
