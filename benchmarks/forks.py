"""Many short programs for the price of one start: forked children that end as programs do.

A process that has imported torch forks (`forked`); a child runs its program, then joins its
threads, runs its exit handlers and ends, whatever its parent is in the middle of.  `Programs` is
such a parent for text: a process of its own, told over a pipe what to run.
"""

import atexit
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["Program", "Programs", "answer_of", "ended", "forked"]

SECONDS = 60.0  # after which a child that should have ended counts as hanging
POLL_SECONDS = 0.002


def forked(program: Callable[[], object], output: Path) -> int:
    """Run a program in a child process.

    Parameters
    ----------
    program : callable
        What it does; an exception ends it as it ends a script.
    output : Path
        Gets what it prints, on both streams.

    Returns
    -------
    int
        The child's number.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _live(program, output)
    return child


def ended(child: int, seconds: float = SECONDS) -> int | None:
    """Wait for a child's end.

    Returns
    -------
    int or None
        Its exit status, the negative number of the signal that it died of, or None if it was
        still there after so many seconds and had to be killed.
    """
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(POLL_SECONDS)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def answer_of(work: Callable[[], Any], output: Path, seconds: float = SECONDS) -> Any:
    """Return what a function returns in a child, so that this process stays as it is.

    Raises
    ------
    RuntimeError
        If it raises there, with the traceback, or does not end within so many seconds.
    """
    answer = output.with_suffix(".answer")
    child = forked(lambda: answer.write_bytes(pickle.dumps(work())), output)
    code = ended(child, seconds)
    if code != 0:
        said = output.read_text(encoding="utf-8")
        raise RuntimeError(f"a child {'hangs' if code is None else f'ended with {code}'}: {said}")
    return pickle.loads(answer.read_bytes())


def _live(program: Callable[[], object], output: Path) -> NoReturn:
    code = 1
    try:
        log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = _code_of(program)
        # What Python does at the end of a program (Py_FinalizeEx), but for taking it apart.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _code_of(program: Callable[[], object]) -> int:
    try:
        program()
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return (ending.code or 0) & 0xFF
        print(ending.code, file=sys.stderr)
        return 1
    except BaseException as error:  # noqa: BLE001 - as the interpreter does
        sys.last_type, sys.last_value = type(error), error
        sys.last_traceback = error.__traceback__
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


class Programs:
    """Runs Python text in processes that are forked by one that has imported torch.

    Parameters
    ----------
    folder : Path
        Gets what the programs print.
    prelude : str
        What each of them begins with.
    """

    def __init__(self, folder: Path, prelude: str = "") -> None:
        self._folder = folder
        self._prelude = prelude
        self._count = 0
        self._server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.forks"],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, code: str, *arguments: object) -> "Program":
        """Start a program; it finds its arguments in `sys.argv`, as a script does."""
        self._count += 1
        output = self._folder / f"{self._count}.txt"
        argv = [f"<program {self._count}>", *map(str, arguments)]
        number = self._ask(code=self._prelude + code, argv=argv, output=str(output))
        return Program(number, output, self._ask)

    def run(self, code: str, *arguments: object) -> "Program":
        """Start a program and wait for its end."""
        program = self.start(code, *arguments)
        program.wait()
        return program

    def close(self) -> None:
        """End the process that forks."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(SECONDS)
        self._server.stdout.close()

    def _ask(self, **request: Any) -> Any:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(request), file=self._server.stdin, flush=True)
        return json.loads(self._server.stdout.readline())


class Program:
    """A running program, or one that has ended.

    Attributes
    ----------
    number : int
        Of its process.
    code : int or None
        As of `ended`, once it has been waited for.
    """

    def __init__(self, number: int, output: Path, ask: Callable[..., Any]) -> None:
        self.number = number
        self.code: int | None = None
        self._output = output
        self._ask = ask

    def wait(self, seconds: float = SECONDS) -> int | None:
        """Wait for its end; see `ended`."""
        self.code = self._ask(child=self.number, seconds=seconds)
        return self.code

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.number, number)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(encoding="utf-8") if self._output.exists() else ""

    def said(self, line: str, seconds: float = SECONDS) -> None:
        """Wait until it has printed a line.

        Raises
        ------
        TimeoutError
            If it does not.
        """
        limit = time.monotonic() + seconds
        while line not in self.output.splitlines():
            if time.monotonic() > limit:
                raise TimeoutError(f"no line {line!r} in {seconds} s; it said:\n{self.output}")
            time.sleep(POLL_SECONDS)


def serve() -> None:
    """Fork and wait as asked on standard input, until it ends."""
    import torch

    import epochord.recorders
    import epochord.runlog.tensorboard  # noqa: F401

    torch.set_num_threads(1)
    # What torch imports at a first step, it imports once, not in every child.
    torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))]).step()
    for line in sys.stdin:
        request = json.loads(line)
        if "code" in request:
            program = partial(_run_text, request["code"], request["argv"])
            answer: int | None = forked(program, Path(request["output"]))
        else:
            answer = ended(request["child"], request["seconds"])
        print(json.dumps(answer), flush=True)


def _run_text(code: str, argv: list[str]) -> None:
    sys.argv = argv
    exec(compile(code, argv[0], "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    serve()
