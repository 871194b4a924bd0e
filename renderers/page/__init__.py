"""Runs as one page to listen to and to look at, in a single file that needs no network."""

from epochord.renderers.page.ensembles import render_ensembles_page
from epochord.renderers.page.gallery import render_gallery
from epochord.renderers.page.render import PageResult, render_page

__all__ = ["PageResult", "render_ensembles_page", "render_gallery", "render_page"]
