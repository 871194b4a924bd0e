"""Small training programs as people write them, each with one line that watches it.

``python -m tests.recorders.loops FOLDER MODULE…`` runs each module's ``main`` twice, bare and
watched, in a process of its own; `outcome` reads what is left of that.
"""
