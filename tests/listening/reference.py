"""The table as it was: ``python -m tests.listening.reference VOICING…`` writes it anew.

Run it, from the root of the project, for a voicing whose mapping was changed on purpose and
whose cells have not sunk; `reference.json` then says what the next change is held to.
"""

import json
import re
import sys
from functools import cache
from pathlib import Path

from tests.listening.trials import Cell, cells, product

__all__ = ["LAYERS", "measured", "recorded"]

LAYERS = (4, 8, 12)
FILE = Path(__file__).with_name("reference.json")


@cache
def measured(voicing: str, layers: int) -> dict[str, Cell]:
    """Return the cells of a voicing as it is, by kind of trouble; once in a process."""
    return cells(product(voicing), layers)


def recorded(voicing: str, layers: int) -> dict[str, Cell]:
    """Return the cells of a voicing as they were; none of one that was not recorded."""
    table = json.loads(FILE.read_text())
    return {kind: Cell(*cell) for kind, cell in table.get(voicing, {}).get(str(layers), {}).items()}


def main() -> None:
    """Measure the voicings named on the command line and record them."""
    table = json.loads(FILE.read_text()) if FILE.exists() else {}
    for voicing in sys.argv[1:]:
        table[voicing] = {
            str(layers): {kind: _rounded(cell) for kind, cell in measured(voicing, layers).items()}
            for layers in LAYERS
        }
    # A cell a line, so that a change shows which ones it moved.
    text = re.sub(r"\s+(?=[^\[\]{}]*\])", " ", json.dumps(table, indent=1))
    FILE.write_text(text.replace("[ ", "[").replace(" ]", "]") + "\n")


def _rounded(cell: Cell) -> list[float | None]:
    return [None if each is None else round(each, 4) for each in cell]


if __name__ == "__main__":
    main()
