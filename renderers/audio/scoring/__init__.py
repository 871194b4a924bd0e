"""From frames to a score: what sounds when, how high, how loud and where."""
