"""What a densitometer says of its own measurements, in its structured report or private table.

This runs in a decoder's worker: pydicom is all that it imports. What comes back are plain lists and
dictionaries of a stranger's; :func:`service.exams.measured.understood` judges each.
"""
