"""The runners: one BentoML service a model, each an entry service of its own.

``runner.py`` is what the three base models share, ``wire.py`` what travels between the front and
all four. A folder a model holds its ``service.py`` and ``bentofile.yaml``.
"""
