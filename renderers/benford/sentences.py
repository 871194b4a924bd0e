"""What was found, in words that say no more than what was tested."""

from collections.abc import Mapping, Sequence

__all__ = [
    "LITTLE_MASS",
    "Range",
    "beside",
    "between",
    "dependent",
    "differs",
    "joined",
    "mass_first",
    "not_told",
    "p_value",
    "points",
    "prompts",
    "too_few",
]

Range = tuple[float, float]  # of MADs from the law: the least and the greatest
LITTLE_MASS = 0.05  # of a language model's probability
ROUNDING = 1e-12  # of sums of shares
LEAST_P = 0.001  # said; what is below is said to be


def p_value(p: float) -> str:
    """Return a p-value with two digits that count, such as "p = 0.019"."""
    return f"p < {LEAST_P}" if p < LEAST_P else f"p = {p:#.2g}"


def points(share: float) -> str:
    """Return a share in percentage points, with two digits that count."""
    return f"{100 * share:#.2g}".removesuffix(".") if share > ROUNDING else "0.0"


def joined(parts: Sequence[str], word: str) -> str:
    """Return parts with commas, and a word before the last one."""
    *others, last = parts
    return f"{', '.join(others)} {word} {last}" if others else last


def prompts(count: int, little: int, nearer: int, baselines: Mapping[str, Range]) -> str:
    """Say how many of a model's prompts rest on little, and how many are nearer than all else."""
    mass = f"{little} rest on less than {100 * LITTLE_MASS:.0f} % of the mass; " if little else ""
    away = [f"{name} ({between(each)} points)" for name, each in baselines.items()]
    these = f"Of {count} prompts {mass}{nearer or 'none'} are"
    if nearer == count and not little:
        these = f"All {count} prompts are"
    return f"{these} nearer to Benford's law than {joined(away, 'and')}. Nearest first."


def not_told(law: str, p: float, n: int, least: float, power: Mapping[str, float]) -> str:
    """Say that values were not found to differ, and what as many would show."""
    said = (
        f"Cannot be told from {law} ({p_value(p)}; {n:,} values would show a deviation of "
        f"{points(least)} points or more)."
    )
    if not power:
        return said
    (first, often), *others = power.items()
    cases = [f"{first} in {_percent(often)} of cases"]
    cases += [f"{name} in {_percent(share)}" for name, share in others]
    return f"{said} As many would tell {joined(cases, 'and')}."


def between(each: Range) -> str:
    """Return a range in percentage points, or what both ends are."""
    low, high = map(points, each)
    return low if low == high else f"{low} to {high}"


def differs(law: str, p: float, deviation: float, by_chance: float, n: int) -> str:
    """Say that values differ, and by how much."""
    return (
        f"Differs from {law} ({p_value(p)}): by {points(deviation)} percentage points on average, "
        f"where chance makes {points(by_chance)} of {n:,} values."
    )


def too_few(n: int, left_out: Mapping[str, int], least: int) -> str:
    """Say that there are too few values, and what the others are."""
    rest = "".join(f"; {number:,} are {what}" for what, number in left_out.items() if number)
    return f"Too few values to say: {n} with this digit{rest}; {least} are needed."


def dependent(why: str) -> str:
    """Say that values depend on each other, and what follows from it."""
    return f"The values depend on each other ({why}), so that p may be too small."


def mass_first(mass: float | None) -> str:
    """Return the beginning of a sentence about probabilities that are a small part of all."""
    if mass is None or mass >= LITTLE_MASS:
        return ""
    return f"Rests on {100 * mass:.2g} % of the mass: "


def beside(deviation: float, baselines: Mapping[str, Range]) -> str:
    """Say how far probabilities are from Benford's law, and which baselines are farther.

    Those are farther of which the nearest one is.
    """
    named = {name: f"{name} ({between(each)})" for name, each in baselines.items()}
    farther = [named[name] for name, (low, _) in baselines.items() if deviation < low]
    others = [named[name] for name, (low, _) in baselines.items() if deviation >= low]
    parts = []
    if farther:
        parts.append(f"nearer than {joined(farther, 'and')}")
    if others:
        parts.append(f"no nearer than {joined(others, 'or')}")
    compared = f", {', but '.join(parts)}" if parts else ""
    return f"{points(deviation)} percentage points from Benford's law on average{compared}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
