"""The program on a terminal of its own: what that is sent, and somebody who answers the questions."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

QUESTION = b"[y/N]: "


def on_terminal(
    words: Sequence[str], folder: Path, environ: Mapping[str, str], *, columns: int = 0, answer: bytes = b""
) -> tuple[int, str]:
    """Exit code and all that the terminal was sent. ``columns``: of 24 lines; 0: as the machine has it. ``answer``:
    typed at each question."""
    master, slave = pty.openpty()
    if columns:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environ)
    os.close(slave)
    sent, answered = b"", 0
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the program has gone
            break
        if not part:
            break
        sent += part
        if answer and sent.count(QUESTION) > answered:
            answered += 1
            os.write(master, answer)
    os.close(master)
    return process.wait(60), sent.decode()
