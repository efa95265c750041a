"""The program for notebooks and schedulers: ``import piggy_batch as pb``.

The same machinery and guarantees as the command line has; see ``piggy-batch help python``.
"""
