"""The DICOM elements that are looked at, and the form that they are given in."""

from __future__ import annotations

from enum import IntEnum


class Tag(IntEnum):
    """What bears on the pixels. No other element is read, and so none that names a person."""

    TransferSyntaxUID = 0x00020010
    ImageType = 0x00080008
    SOPClassUID = 0x00080016
    Modality = 0x00080060
    PresentationIntentType = 0x00080068
    ContrastBolusAgent = 0x00180010
    BodyPartExamined = 0x00180015
    SliceThickness = 0x00180050
    KVP = 0x00180060
    ImagerPixelSpacing = 0x00181164
    ConvolutionKernel = 0x00181210
    ViewPosition = 0x00185101
    SeriesInstanceUID = 0x0020000E
    ImagePositionPatient = 0x00200032
    ImageOrientationPatient = 0x00200037
    SamplesPerPixel = 0x00280002
    PhotometricInterpretation = 0x00280004
    PlanarConfiguration = 0x00280006
    NumberOfFrames = 0x00280008
    Rows = 0x00280010
    Columns = 0x00280011
    PixelSpacing = 0x00280030
    BitsAllocated = 0x00280100
    BitsStored = 0x00280101
    HighBit = 0x00280102
    PixelRepresentation = 0x00280103
    BurnedInAnnotation = 0x00280301
    WindowCenter = 0x00281050
    WindowWidth = 0x00281051
    RescaleIntercept = 0x00281052
    RescaleSlope = 0x00281053
    RescaleType = 0x00281054
    VOILUTFunction = 0x00281056
    RedPaletteColorLookupTableDescriptor = 0x00281101
    GreenPaletteColorLookupTableDescriptor = 0x00281102
    BluePaletteColorLookupTableDescriptor = 0x00281103
    RedPaletteColorLookupTableData = 0x00281201
    GreenPaletteColorLookupTableData = 0x00281202
    BluePaletteColorLookupTableData = 0x00281203
    LossyImageCompression = 0x00282110
    ModalityLUTSequence = 0x00283000
    LUTDescriptor = 0x00283002
    LUTData = 0x00283006
    VOILUTSequence = 0x00283010
    PresentationLUTShape = 0x20500020
    FloatPixelData = 0x7FE00008
    DoubleFloatPixelData = 0x7FE00009
    PixelData = 0x7FE00010

    def __str__(self) -> str:
        """Give the tag as messages do: ``Rows (0028,0010)``."""
        return f"{self.name} ({self >> 16:04X},{self & 0xFFFF:04X})"
