"""The runners: one BentoML service a model, each an entry service of its own.

``runner.py`` is what the base models share, ``wire.py`` what travels between the front and all
five. A folder a model holds its ``service.py`` and ``bentofile.yaml``.
"""
