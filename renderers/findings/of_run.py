"""What happened in a run, in one call."""

from epochord.renderers.findings.find import find
from epochord.renderers.findings.finding import Finding
from epochord.renderers.timeline.choice import Choice
from epochord.renderers.timeline.timeline import StepRange, timeline
from epochord.runlog import Run
from epochord.runlog.run.given import require_run

__all__ = ["findings"]


def findings(
    run: Run, choice: Choice | None = None, *, steps: StepRange = (None, None)
) -> list[Finding]:
    """Find what happened in a run, in its log and not in its sound.

    Parameters
    ----------
    run : Run
        Any run with measurements.
    choice : Choice, optional
        Which series; by default those that are heard by default.
    steps : (int or None, int or None)
        First step, and the step before which to stop.

    Returns
    -------
    list of Finding
        In the order of steps: spikes, explosions, dead and stuck gradients, layers
        that leave the others, NaN and the infinities; each has a `sentence`.

    Raises
    ------
    LogError
        If the run has no measurement, or nothing matches the choice.
    TypeError
        If `run` is no run.
    """
    require_run(run)
    return find(timeline(run, choice, steps=steps))
