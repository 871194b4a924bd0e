"""What lies beside a file that was named: only results of our own are replaced there."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from epochord.renderers.results.destination import Destination
from epochord.runlog import OutputError

__all__ = ["require_own"]

DESCRIPTION = ".json"


def require_own(place: Destination, endings: Iterable[str]) -> None:
    """Refuse to replace files of others beside a file that was named.

    Parameters
    ----------
    place : Destination
        Where results go.  In a folder their names are our own, and the file that was
        named is meant to be replaced.
    endings : iterable of str
        Of the results that go there, such as ``".score.parquet"``.

    Raises
    ------
    OutputError
        If one of them is there, and neither is nor is named in a description of ours.
    """
    if not place.suffix:
        return
    described = _described(place.path(DESCRIPTION))
    for ending in {DESCRIPTION: None} | dict.fromkeys(endings):
        path = place.path(ending)
        own = described is not None and (ending == DESCRIPTION or path.name in described)
        if ending != place.suffix and path.exists() and not own:
            raise OutputError(
                f"{path}: would be replaced by what goes beside {place.path(place.suffix).name}, "
                "and is none of Epochord's results; move it away, or choose another --out"
            )


def _described(description: Path) -> dict[str, Any] | None:
    """Return the files that a description names; None if it is not there, or not ours."""
    try:
        about = json.loads(description.read_text(encoding="utf-8"))
        return dict(about["files"]) if "schema_version" in about else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
