"""The least and the greatest of what a run may be asked for, on the command line and in the Python functions alike."""

from __future__ import annotations

CONCURRENCY = (1, 500)  # requests in flight
ATTEMPTS = (1, 100)  # tries a row
TIMEOUT_S = (0.01, 3600.0)  # of one request
RESERVE = (0.0, 0.9)  # share of the announced budget
MOST_DROPPED = 1000  # rows left out at the end of a list
