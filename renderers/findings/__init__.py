"""What happened in a run, found in its log, and which trouble it looks like."""

from epochord.renderers.findings.account import Account, describe
from epochord.renderers.findings.diagnosis import Diagnosis, Trouble, diagnose
from epochord.renderers.findings.find import find
from epochord.renderers.findings.finding import Finding, What
from epochord.renderers.findings.of_run import findings

__all__ = [
    "Account",
    "Diagnosis",
    "Finding",
    "Trouble",
    "What",
    "describe",
    "diagnose",
    "find",
    "findings",
]
