"""Runs the code of README and documentation, in an empty folder, and docstrings' examples."""

import os
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser


def _enter(namespace: dict[str, Any]) -> None:
    namespace["before"], namespace["folder"] = Path.cwd(), tempfile.TemporaryDirectory()
    os.chdir(namespace["folder"].name)


def _leave(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["before"])
    namespace["folder"].cleanup()


_readme = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["README.md", "benford.md", "ensembles.md", "recording.md"],
    setup=_enter,
    teardown=_leave,
)
_docstrings = Sybil(parsers=[DocTestParser()], patterns=["series.py", "registry.py"])
pytest_collect_file = (_readme + _docstrings).pytest()
