"""Attacks on the program from outside: its command line as a process, a hostile service on loopback.

Each test tries one hole of the list of attacks again, and is judged by what the service has counted and by what the
run's files say, never by the program's inner parts. So the same tests can be run against any version of the program:
``PIGGY_BATCH_TREE=<checkout> python -m pytest tests/hostile``. ``python -m tests.prove.hostile --before REVISION``
does that for an earlier revision, in which each of them must fail by an assertion; what the attack needs to begin with
is asked for with :func:`needed`, so that a failure to set the scene is not taken for a hole.
"""
