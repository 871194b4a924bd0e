"""Runs as one page to listen to and to look at, in a single file that needs no network."""

from renderers.page.gallery import render_gallery
from renderers.page.render import PageResult, render_page

__all__ = ["PageResult", "render_gallery", "render_page"]
