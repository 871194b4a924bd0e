"""Samples to sound files and back, block by block."""
