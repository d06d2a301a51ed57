"""The curve L1–L4 of a lying patient: a screening angle with its interval, and how it goes on.

::

    screening    of one image: the angle, its interval and side, against the threshold
    trend        over a patient's exams: what changed beyond what measuring may do
    schemas      both as JSON
    wording      both in sentences, with what to look at next and where that is written
    view         cards for a result's and a patient's page
    codes        the angle as reports, messages and resources name it

It accepts what :mod:`service.medicine.vertebrae` tells of an image. Its model is the one that
outlines vertebrae; the formula and its interval are :mod:`models.vertebrae.curvature`'s. It never
tells a Cobb angle.
"""
