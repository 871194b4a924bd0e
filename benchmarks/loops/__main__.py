"""Run all programs and print the table: ``python -m benchmarks.loops``."""

from benchmarks.loops import report

if __name__ == "__main__":
    print(report())
