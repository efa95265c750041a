"""dlt's REST source into Parquet on the local file system, as its documentation shows it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path


def main(base_url: str, token: str, target: str) -> None:
    """Read every page of giftcards."""
    work = Path(tempfile.mkdtemp(prefix="dlt-"))
    os.environ.update(
        RUNTIME__DLTHUB_TELEMETRY="false",
        DLT_DATA_DIR=str(work / "data"),
        DLT_PROJECT_DIR=str(work),
        DESTINATION__FILESYSTEM__BUCKET_URL=(work / "out").as_uri(),
    )
    import dlt
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(
        {
            "client": {
                "base_url": f"{base_url}/api/v3/oauth/clients/",
                "auth": {"type": "bearer", "token": token},
                "paginator": {"type": "page_number", "base_page": 1, "total_path": "meta.last_page"},
            },
            "resources": [
                {
                    "name": "giftcards",
                    "endpoint": {"path": "giftcards", "params": {"limit": 100}, "data_selector": "data"},
                }
            ],
        }
    )
    pipeline = dlt.pipeline("bench", destination="filesystem", dataset_name="d", pipelines_dir=str(work / "pipelines"))
    pipeline.run(source, loader_file_format="parquet")
    found = sorted((work / "out").rglob("giftcards/*.parquet"))
    if not found:
        sys.exit("dlt wrote no Parquet")
    shutil.move(found[0], target)
    shutil.rmtree(work)


if __name__ == "__main__":
    main(*sys.argv[1:4])
