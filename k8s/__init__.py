"""What operators run around the chart, and what writes the files that are made from it.

``python -m k8s`` writes them all: the settings' names in ``values.schema.json``, the table in the
chart's README, and ``k8s/base``. Tests fail when one of them is not what it would be written as.
"""
