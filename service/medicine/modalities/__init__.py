"""Modalities: what is measured of bone beside the image, each by itself, shown side by side.

::

    registry        what there is: DXA, CT, ultrasound; what each accepts, is read by and coded as
    ├── dxa         voices of a densitometer's T-score and of the image's models
    ├── ct          attenuation of a region in L1's trabecular bone, in Hounsfield units
    └── ultrasound  speed of sound and attenuation at the heel
    voice           one modality's word: present, valid, and what it reads
    fusion          late fusion of voices by masks: agreement, conflict, what is missing

Nothing is imputed, and no combined probability is computed: there is no data set with all
modalities and an outcome from which weights could be learnt (docs/multimodal.md).
"""
