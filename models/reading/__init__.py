"""From the bytes that somebody sent to a :class:`~models.image.scan.Scan`, or to a plain refusal.

::

    reader      which format it is
    ├── kinds       what it is otherwise
    ├── raster      PNG, JPEG, TIFF
    │   ├── png · jpeg · tiff   check the file, measure it, strip it to what pixels depend on
    │   ├── directory           TIFF's, and BigTIFF's
    │   ├── exif                which way up
    │   └── header              what they found
    └── dicom       DICOM
        ├── elements            a walk over them, bounded, past what it does not know
        ├── dataset             those that are wanted, of the file and its sequences
        ├── frame               what they say of the pixels, checked
        ├── codecs              pixels to stored values, by transfer syntax
        │   └── jpeg · lossless · jpeg2000
        └── display             modality LUT → VOI LUT → inversion
            └── lookup
    colour      colour to grey, for both
    guard       where foreign decoders are called, for both
    limits      how large and how small
"""

from __future__ import annotations

from models.reading.limits import Limits
from models.reading.reader import SNIFFED, read, sniff

__all__ = ["SNIFFED", "Limits", "read", "sniff"]
