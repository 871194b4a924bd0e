"""From a run to frames: which series, on which axis, reduced to what can be perceived."""
