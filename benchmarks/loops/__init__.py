"""Training programs as the world writes them, bare and with one line that watches them.

Those that need torch alone are tests, `tests/recorders/loops`; here they are run once more,
with those that need a framework.
"""

from benchmarks.loops.results import report

__all__ = ["report"]
