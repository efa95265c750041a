"""``python -m tests.bench``: this program beside what people use instead, and against its own targets.

Every contender runs in a process of its own, in turn (A B A B …), against one benchmark server process; figures
are medians, and figures that compare are medians of the ratios of neighbouring runs.
"""
