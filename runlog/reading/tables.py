"""The other tables of a run of ours, read when they are asked for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from epochord.runlog.parquet import read_parquet, table_sources

__all__ = ["TABLES", "StoredTables"]

# Beside the measurements; what is not of these names is not ours.
TABLES = ("ensemble", "ensemble_setup", "first_digits", "layer_digits")


class StoredTables(Mapping[str, pa.Table]):
    """The tables in a run's directory by name.

    Parameters
    ----------
    directory : Path
        The run's directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names = [name for name in TABLES if table_sources(directory, name)]

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._names:
            raise KeyError(name)
        rows, _ = read_parquet(self._directory, name)
        return rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
