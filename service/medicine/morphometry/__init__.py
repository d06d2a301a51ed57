"""Heights of vertebrae in a lateral VFA image, and Genant's grade of them, from six points each.

::

    schemas     what is sent and told as JSON
    form        points as text of a form, a field a vertebra
    wording     grades and shapes in sentences
    contexts    the page on which a reader sets points
    api         ``/api/v1/morphometry`` and ``/results/{id}/heights``

It accepts points in pixels of an image as it was sent; the formula is
:mod:`models.vertebrae.morphometry`'s. Nothing is stored, and no image's probability has a way in.
"""
