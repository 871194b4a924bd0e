"""A model listener: what an ear can tell of a score, and a gate that keeps it so.

From a score to a verdict, one subject a module: `components` (which partials sound,
how high, how loud, where), `auditory`, `excitation`, `loudness` and `roughness` (the
ear), `contours` (what it follows), `features` (what is left of that in memory, with
internal noise), `listeners` (who decides), `troubles` (the runs), `trials` (the table).
`masking` says how far earcons stand out and what small loudspeakers leave.

No human has listened: this is a model, from published figures, and errs like one.
"""
