"""What the formats' tests share: a folder on disk or in fsspec's memory, and series as points."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from upath import UPath

from epochord.runlog.run.contents import Contents

Points = dict[str, list[tuple[int, float]]]


@pytest.fixture
def memory() -> Iterator[UPath]:
    """Give a folder in a store that is no disk."""
    folder = UPath("memory://epochord-tests/run")
    folder.mkdir(parents=True)
    yield folder
    folder.parent.rmdir(recursive=True)


@pytest.fixture
def points() -> Callable[[Contents], Points]:
    """Give a function from contents to (step, value) by tag, in file order."""

    def plain(contents: Contents) -> Points:
        return {
            tag: list(zip(series.steps.tolist(), series.values.tolist(), strict=True))
            for tag, series in contents.series.items()
        }

    return plain


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes a file of the given name and content."""

    def write(content: bytes | str, name: str = "log.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
