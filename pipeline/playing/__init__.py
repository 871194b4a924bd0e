"""From a result to a loudspeaker: which program plays it, and how to ask for it."""
