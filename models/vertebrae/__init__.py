"""Vertebrae in an image: outlined by a network, placed, measured.

::

    geometry        levels, pitch, width, tilt, and the map to the canonical image: numpy alone
    outline         the network's maps → levels and graphics
    measurements    what is measured inside and beside the outlines of a canonical image
    report          sizes, angles and relative density of each level: numpy and Pillow
    curvature       the curve L1–L4 and its interval: numpy alone
    foreign         how sharply what is brighter than bone ends: numpy and Pillow
    displacement    how far rows are shifted against each other: numpy alone
    findings        what of it a reader should look at, each with its rule
    morphometry     six points of a vertebra seen from the side: heights, loss, grade: no numpy
    graphics        a mask as text, on its way to the front

The front imports all but ``outline`` and ``measurements``, which need SciPy.
"""
