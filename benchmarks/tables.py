"""Results as Markdown: what is printed is what `RESULTS.md` holds."""

from collections.abc import Sequence

__all__ = ["table"]


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table under its title, its columns padded to line up.

    Parameters
    ----------
    title : str
        One line.
    head : sequence of str
        Names of the columns.
    rows : sequence of sequences of str
        As many cells each as `head`.
    """
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([f"### {title}", "", padded[0], rule, *padded[1:]])
