"""Record, render and write the field guide: `make field-guide`.

python -m epochord.pipeline.field_guide [--check] [--runs FOLDER] [--out FILE]
"""

import argparse
import sys
from pathlib import Path

from epochord.pipeline.console import fail, result
from epochord.pipeline.field_guide.check import NAMED, check
from epochord.pipeline.field_guide.page import write_guide
from epochord.runlog.errors import EpochordError

RUNS = Path(".cache", "field-guide")
PAGE = Path("docs", "field-guide.html")


def main() -> int:
    """Do what the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(prog="field-guide", description=__doc__)
    parser.add_argument("--check", action="store_true", help="try what is named on unseen seeds")
    parser.add_argument("--runs", type=Path, default=RUNS, help="where the runs are recorded")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page")
    given = parser.parse_args()
    try:
        if given.check:
            return _check(given.runs)
        result(write_guide(given.runs, given.out))
    except EpochordError as error:
        fail(error)
        return 1
    return 0


def _check(runs: Path) -> int:
    tried, healthy = check(runs)
    for name, trouble, named in [*tried, *healthy]:
        result(f"{name:22}{trouble or '-':18}{' '.join(each or '-' for each in named)}")
    right = sum(set(named) == {trouble} for _, trouble, named in tried)
    false = sum(set(named) != {""} for _, _, named in healthy)
    result(f"{right} of {len(tried)} named on all seeds; {false} of {len(healthy)} healthy ones")
    return int(right < NAMED or false > 0)


if __name__ == "__main__":
    sys.exit(main())
