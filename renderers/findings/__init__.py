"""What happened in a run, found in its log: spikes, explosions, deaths, departures, NaN."""

from epochord.renderers.findings.account import Account, describe
from epochord.renderers.findings.find import find
from epochord.renderers.findings.finding import Finding, What
from epochord.renderers.findings.of_run import findings

__all__ = ["Account", "Finding", "What", "describe", "find", "findings"]
