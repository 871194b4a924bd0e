"""A process of its own for each measurement, and the most memory that a process has had."""

import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

__all__ = ["NOT_TOLD", "forget_peak", "in_new_process", "peak_mib", "tells_peak"]

NOT_TOLD = "Peak memory: not measured, this system does not tell it as Linux does."


def in_new_process(work: Callable[..., Any], *arguments: object) -> Any:
    """Call a module's function in a process that has done nothing before."""
    # "spawn": a forked process would begin with all that this one holds.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def tells_peak() -> bool:
    """Return whether `peak_mib` works on this system."""
    return _status("self").is_file()


def peak_mib(process: int | str = "self") -> float:
    """Return a process's largest resident size so far in MiB.

    Not `ru_maxrss`, which a parent hands down.

    Parameters
    ----------
    process : int or str
        Its number; by default this process.
    """
    status = _status(process)
    kibibytes = re.search(r"VmHWM:\s+(\d+)", status.read_text(encoding="utf-8"))
    if kibibytes is None:
        raise RuntimeError(f"{status} has no VmHWM")
    return int(kibibytes[1]) / 1024


def forget_peak() -> None:
    """Let `peak_mib` begin again with what this process holds now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # see proc_pid_clear_refs(5)


def _status(process: int | str) -> Path:
    return Path(f"/proc/{process}/status")  # Linux
