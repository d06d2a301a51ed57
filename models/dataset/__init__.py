"""Labelled images, prepared by the recipe, with the groups that a split must not tear apart.

::

    loading         one door for images on disk
    ├── folder          sub-folders by label
    ├── manifest        a CSV file
    │   └── table
    ├── series          a tree of DICOM files
    ├── entry           what each of them yields
    ├── tree            every file below a folder
    └── faults          what is wrong, named all at once
    preparing       scans and their altered copies, brought to canonical form
├── copies          what other exports do to a scan
├── drawn           the outlines that a scanner has drawn into it
└── graphics        lines, letters and borders as scanners and viewers draw them
phantoms        images drawn for the purpose, without files
    dataset         what comes out
    attributes      what subgroups are made of
    near_duplicates which images show the same scan
    grouping        what therefore stays together
"""

from __future__ import annotations

from models.dataset.dataset import SEVERITY, Dataset, DatasetError
from models.dataset.entry import Entry
from models.dataset.faults import counted
from models.dataset.loading import Source, gather, images, load, outlines
from models.dataset.phantoms import phantoms

__all__ = [
    "SEVERITY",
    "Dataset",
    "DatasetError",
    "Entry",
    "Source",
    "counted",
    "gather",
    "images",
    "load",
    "outlines",
    "phantoms",
]
