"""Leading digits of numbers, and how far they are from Benford's law."""
