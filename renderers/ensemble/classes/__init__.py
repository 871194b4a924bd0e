"""Ensembles of classifiers: their scores by epoch, and their own pictures."""
