"""Results on disk: whole or not at all, described, and not made twice."""
