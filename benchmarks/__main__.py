"""Run the benchmarks and print their tables: ``python -m benchmarks [SUBJECT…]``."""

import argparse
from importlib import import_module

from benchmarks import machine

SUBJECTS = (
    "recorder",
    "races",
    "faults",
    "loops",
    "writer",
    "audio",
    "fidelity",
    "listening",
    "readers",
    "fuzz",
    "ensemble",
    "benford",
    "digit_counts",
    "comparison",
    "page",
    "startup",
)


def main() -> None:
    """Run the subjects named on the command line; by default all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    chosen = parser.parse_args().subjects or SUBJECTS
    if unknown := set(chosen) - set(SUBJECTS):
        parser.error(f"no subject {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    print(machine.describe(), flush=True)
    for subject in chosen:
        print(f"\n## {subject}\n\n{import_module(f'benchmarks.{subject}').report()}", flush=True)


if __name__ == "__main__":
    main()
