"""What is owed, what moved and what will expire: reports from snapshots of all giftcards.

Every figure is an integer number of cents until the last step before a reader's eye. The way of a report: ``request``
(options) · ``choosing`` and ``periods`` (which snapshots of a ``snapshot_store``) · ``report_builder`` (``cards`` of a
snapshot into memory, ``matching`` of two, ``movements`` per card, ``liability`` and ``roll_forward`` as sums,
``transactions`` with their ``companion`` check, ``trend`` and ``cohorts``, ``ledger``, ``card_lists``) · ``report``
(all of it as one value) · ``render`` (that value as page, workbook, JSON, CSV, Parquet and text).
"""
