"""What can be wrong with a file that was sent to be judged.

::

    ScanError                     the file cannot be read as one scan
    ├── EmptyFileError            empty_file
    ├── UnsupportedFormatError    unsupported_format      not PNG, JPEG, TIFF or DICOM
    ├── CorruptFileError          corrupt_file            truncated, or not what its header says
    │   └── DecoderError                                  said by a decoder that is not ours
    ├── TooExpensiveError         too_expensive           decoding takes too much time or memory
    ├── TooManyPixelsError        too_many_pixels         larger than the limit, before decoding
    ├── TooFewPixelsError         too_few_pixels          1×1, zero-sized, a thumbnail
    ├── ConstantImageError        constant_image          every pixel the same
    ├── MultipleFramesError       multiple_frames         animation, several pages or frames
    ├── UnsupportedColourError    unsupported_colour      CMYK, Lab and the like
    ├── TransparencyError         transparency            what shows depends on a background
    ├── NoPixelDataError          no_pixel_data           DICOM without pixels, or no image at all
    ├── MissingTagError           missing_tag             DICOM lacks a tag that pixels depend on
    ├── InvalidTagError           invalid_tag             DICOM has it, with a value that cannot be
    └── UnsupportedSyntaxError    unsupported_transfer_syntax

Every error carries a stable ``code`` for programs and a sentence for people: what was wrong,
what came, what is allowed. The sentence never quotes text from the file: it may name a patient.
"""

from __future__ import annotations

from typing import ClassVar


class ScanError(ValueError):
    """The file cannot be read as one scan."""

    code: ClassVar[str] = "unreadable_scan"


class EmptyFileError(ScanError):
    code = "empty_file"


class UnsupportedFormatError(ScanError):
    code = "unsupported_format"


class CorruptFileError(ScanError):
    code = "corrupt_file"


class DecoderError(CorruptFileError):
    """A foreign decoder gave up: on damage, or for want of memory that it does not tell apart."""


class TooExpensiveError(ScanError):
    code = "too_expensive"


class TooManyPixelsError(ScanError):
    code = "too_many_pixels"


class TooFewPixelsError(ScanError):
    code = "too_few_pixels"


class ConstantImageError(ScanError):
    code = "constant_image"


class MultipleFramesError(ScanError):
    code = "multiple_frames"


class UnsupportedColourError(ScanError):
    code = "unsupported_colour"


class TransparencyError(ScanError):
    code = "transparency"


class NoPixelDataError(ScanError):
    code = "no_pixel_data"


class MissingTagError(ScanError):
    code = "missing_tag"


class InvalidTagError(ScanError):
    code = "invalid_tag"


class UnsupportedSyntaxError(ScanError):
    code = "unsupported_transfer_syntax"
