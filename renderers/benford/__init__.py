"""First digits of what a run holds, against Benford's law."""

from epochord.runlog.extras import needing

with needing("drawing first digits", "pictures"):
    from epochord.renderers.benford.render import BenfordResult, render_benford, render_constants

__all__ = ["BenfordResult", "render_benford", "render_constants"]
