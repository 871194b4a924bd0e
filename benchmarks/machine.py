"""What the figures were measured on: date, processor and versions, in one line each."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

__all__ = ["describe"]

PACKAGES = ("torch", "numpy", "scipy", "pyarrow", "tensorboard")


def describe() -> str:
    """Return the date, the processor and the versions, as a Markdown list."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = (
        f"date: {datetime.now(UTC):%Y-%m-%d}",
        f"processor: {_processor()}, {os.cpu_count()} cores, {platform.system()}",
        f"versions: Python {platform.python_version()}, {versions}",
    )
    return "\n".join(f"- {line}" for line in lines)


def _processor() -> str:
    details = Path("/proc/cpuinfo")  # Linux; elsewhere the platform knows a name, at best
    if details.is_file():
        for line in details.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
