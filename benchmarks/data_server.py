"""TensorBoard's own fast loader, a server written in Rust: loading a logdir once, completely."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from tensorboard.data.proto import data_provider_pb2 as messages
from tensorboard.data.proto.data_provider_pb2_grpc import TensorBoardDataProviderStub
from tensorboard_data_server import server_binary

from benchmarks.processes import peak_mib

__all__ = ["count", "exists", "load", "peak"]

FINISHED = "Finished load cycle"  # what it says on stderr with --verbose
ALL = 1 << 40  # points a series: more than there are


def exists() -> bool:
    """Return whether there is a binary for this system."""
    return server_binary() is not None


def load(logdir: Path) -> None:
    """Start the server, wait until it has read everything, and end it."""
    with _loaded(logdir):
        pass


def peak(logdir: Path) -> float:
    """Return the largest resident size in MiB that loading a logdir took."""
    with _loaded(logdir) as (process, _):
        return peak_mib(process)


def count(logdir: Path) -> int:
    """Return how many points the server has to give."""
    with _loaded(logdir) as (_, port):
        options = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
        with grpc.insecure_channel(f"localhost:{port}", options) as channel:
            response = TensorBoardDataProviderStub(channel).ReadScalars(
                messages.ReadScalarsRequest(
                    plugin_filter=messages.PluginFilter(plugin_name="scalars"),
                    downsample=messages.Downsample(num_points=ALL),
                )
            )
    return sum(len(tag.data.step) for run in response.runs for tag in run.tags)


@contextmanager
def _loaded(logdir: Path) -> Iterator[tuple[int, int]]:
    """Yield the number and the port of a server that has read everything."""
    with tempfile.TemporaryDirectory() as folder:
        port = Path(folder, "port")
        # It ends with its stdin, so that none is left over whatever happens here.
        options = ("--reload=once", "--checksum", "--verbose", "--die-after-stdin", "--port=0")
        kept = "--samples-per-plugin=scalars=all"  # by default it keeps 1,000 points a series
        command = [server_binary(), f"--logdir={logdir}", f"--port-file={port}", kept, *options]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as server:
            try:
                if not any(FINISHED in line for line in server.stderr):
                    raise RuntimeError(f"the data server ended before it had read {logdir}")
                yield server.pid, int(port.read_text(encoding="ascii"))
            finally:
                server.terminate()
