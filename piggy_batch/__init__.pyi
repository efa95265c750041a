# What __init__.py loads on first use, for type checkers.
from piggy_batch.errors import HaltError as HaltError
from piggy_batch.errors import IncompleteError as IncompleteError
from piggy_batch.errors import JournalError as JournalError
from piggy_batch.errors import PiggyBatchError as PiggyBatchError
from piggy_batch.errors import SetupError as SetupError
from piggy_batch.library.account import Account as Account
from piggy_batch.library.exports import export_contacts as export_contacts
from piggy_batch.library.exports import export_giftcards as export_giftcards
from piggy_batch.library.reports import read_snapshot as read_snapshot
from piggy_batch.library.reports import report as report
from piggy_batch.library.reports import snapshots as snapshots
from piggy_batch.library.rows import migrate as migrate
from piggy_batch.library.rows import plan as plan
from piggy_batch.library.rows import read_results as read_results
from piggy_batch.library.rows import run as run
from piggy_batch.library.rows import status as status
from piggy_batch.library.waiting import Progress as Progress

__version__: str
