"""From a score to samples, block by block."""
