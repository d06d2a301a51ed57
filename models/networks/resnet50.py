"""ResNet-50 (He et al., 2016) as Keras publishes it: features for the forest.

The same place in the ensemble as :mod:`models.networks.resnet`, for those who have the official
ImageNet weights.
"""

from __future__ import annotations

import keras
from keras import layers

from models.networks.head import input_image
from models.networks.vgg16 import BGR_MEAN


def build() -> keras.Model:
    """Return the network.

    Outputs ``features`` (batch, 2048) and what they are the global average of, the last feature
    maps (batch, 7, 7, 2048).
    """
    image = input_image()
    x = layers.Concatenate(name="grey_to_bgr")([image, image, image])
    # "caffe" preprocessing, as keras.applications.resnet.preprocess_input does it.
    x = layers.Rescaling(1.0, offset=[-mean for mean in BGR_MEAN], name="centre")(x)
    trunk = keras.applications.ResNet50(include_top=False, weights=None, input_tensor=x)
    features = layers.GlobalAveragePooling2D(name="features")(trunk.output)
    return keras.Model(image, [features, trunk.output], name="resnet50")
