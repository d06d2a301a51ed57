"""Why a model answers as it does, computed exactly rather than guessed at.

The two networks need nothing here: their class activation map leaves the same forward pass (see
``models.networks.head``). ``projection`` draws the forest's tree SHAP values over the feature maps.
"""
