"""Fitting the models of progression: :mod:`mixed`, :mod:`recurrent`, and both as one artefact."""
