"""Run programs bare and watched: ``python -m tests.recorders.loops FOLDER MODULE…``.

Each run is a fork of this process, in which torch is imported once, and ends as any program
does: by the end of its code.
"""

import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

import epochord
from tests.recorders.loops.outcome import ERRORS, EXIT
from tests.recorders.loops.witness import Witness


class Noted:
    """A recorder, and a witness of what it is given."""

    def __init__(self, recorder: Any, witness: Witness) -> None:
        self.recorder, self.witness = recorder, witness

    def log(self, tag: str, value: Any) -> None:
        self.recorder.log(tag, value)
        self.witness.log(tag, value)


def main(folder: Path, names: list[str]) -> None:
    """Run all programs; each fork returns from here, to end well."""
    torch.set_num_threads(1)
    torch.optim.SGD(torch.nn.Linear(1, 1).parameters())  # imports a second's worth of torch
    gc.freeze()  # a fork that ends looks at all objects, which would be a second more
    for name in names:
        for kind in ("bare", "watched"):
            place = folder / name / kind
            place.mkdir(parents=True)
            child = os.fork()
            if not child:
                _become(place)
                run(name, watched=kind == "watched")
                return
            _, status = os.waitpid(child, 0)
            (place / EXIT).write_text(str(os.waitstatus_to_exitcode(status)), encoding="ascii")


def run(name: str, *, watched: bool) -> None:
    """Run one program, and leave in the working directory what its witness saw."""
    witness = Witness()
    try:
        import_module(name).main(_watched(witness) if watched else _bare(witness), witness)
    finally:
        witness.save()


def _watched(witness: Witness) -> Callable[..., Noted]:
    return lambda *arguments: Noted(epochord.watch(*arguments), witness)


def _bare(witness: Witness) -> Callable[..., Witness]:
    return lambda *_: witness


def _become(place: Path) -> None:
    os.chdir(place)
    for stream, path in ((1, "stdout.txt"), (2, ERRORS)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), sys.argv[2:])
