"""Prometheus rules: from the table of objectives, and from what can break.

::

    scope      whose series a rule looks at: a checkout's, or a release's
    rule       a recorded series, an alert, a group
    burn       how fast each objective's error budget is spent, and when that is too fast
    symptoms   everything else that somebody should know of
    gateway    the same of the gateway and its ledger
    files      where they are written
"""
