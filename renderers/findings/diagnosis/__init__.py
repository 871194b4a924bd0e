"""What a run looks like: troubles by name, each with the measurements that led to it."""

from epochord.renderers.findings.diagnosis.diagnose import diagnose
from epochord.renderers.findings.diagnosis.trouble import Diagnosis, Trouble

__all__ = ["Diagnosis", "Trouble", "diagnose"]
