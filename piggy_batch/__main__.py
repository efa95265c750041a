"""``python -m piggy_batch`` is the same program as ``piggy-batch``."""

from piggy_batch.cli.main import main

if __name__ == "__main__":
    main()
