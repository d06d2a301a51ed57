"""Heights of vertebrae in a lateral VFA image, and Genant's grade of them, from six points each.

::

    schemas     what is sent and told as JSON
    kept        points that a reader keeps of a result, in versions, and what is told of them
    form        points as text of a form, a field a vertebra
    proposals   points that are proposed for an image, set by nobody
    wording     grades and shapes in sentences
    view        what was kept as rows, for pages and the sheet
    repository  versions in SQL
    service     keeping points of a result, and removing them
    contexts    the page on which a reader sets points
    api         ``/api/v1/morphometry`` and ``…/predictions/{id}/heights``
    pages       ``/results/{id}/heights``

It accepts points in pixels of an image as it was sent; the formula is
:mod:`models.vertebrae.morphometry`'s, and no image's probability has a way in. What was proposed
stays told apart from what a reader has set.
"""
