"""``python -m tests.prove [--scale S] [--only NAME] [--out prove.json]``: run the big proofs, keep their figures.

Every module of this folder that has ``prove(scale) -> dict`` is one proof. Results of proofs that are not run again
stay in the file. Exit 1 where a result says ``"ok": false``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def names() -> list[str]:
    """The proofs, by module name."""
    return sorted(p.stem for p in HERE.glob("*.py") if "\ndef prove(" in p.read_text(encoding="utf-8"))


def main() -> int:
    """Run the proofs asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description="Run the big proofs.")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size; 1 is what the README tells")
    parser.add_argument("--only", action="append", choices=names(), help="one proof; repeatable")
    parser.add_argument("--out", type=Path, default=Path("prove.json"))
    options = parser.parse_args()
    results: dict[str, Any] = {}
    if options.out.exists():
        results = json.loads(options.out.read_text(encoding="utf-8"))
    for name in options.only or names():
        begun = time.monotonic()
        figures = importlib.import_module(f"tests.prove.{name}").prove(options.scale)
        results[name] = {
            **figures,
            "scale": options.scale,
            "took_s": round(time.monotonic() - begun, 1),
            "python": platform.python_version(),
        }
        print(f"{name}: {json.dumps(results[name])}", flush=True)
        options.out.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    failed = [name for name, figures in results.items() if figures.get("ok") is False]
    if failed:
        print(f"not proven: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
