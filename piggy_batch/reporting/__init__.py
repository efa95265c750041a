"""What is owed, what moved and what will expire: reports from snapshots of all giftcards.

Every figure is an integer number of cents until the last step before a reader's eye. Modules, from the
ground up: ``terms`` (closed sets, definitions) · ``days`` (time zones) · ``money`` (formatting) · ``whole`` (files
written whole) · ``snapshots`` (one export with its proof) · ``store`` (many of them) · ``cards`` (columns in memory) ·
``liability`` · ``rollforward`` · ``transactions`` and ``reconcile`` · ``build`` (all of it as one value) · ``grid`` and
``tables`` · ``charts``, ``page``, ``workbook``, ``values``, ``plain`` (that value as HTML, xlsx, JSON, CSV and text).
"""
