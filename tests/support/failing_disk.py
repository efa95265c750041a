"""The library that makes a disk fail, built for a test that loads it into a process."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")


def failing_disk_library(folder: Path) -> Path:
    """The library, in that folder. The test is skipped where there is no compiler."""
    library = folder / "failing_disk.so"
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no compiler here: {error}")
    return library
