"""``make bench``: this project, other systems and the bare runtime, side by side, in rounds.

``__main__`` runs rounds of the ``systems`` within the minutes given: a ``turn`` each, on a
``server`` with ``clients``, answers held against ``reference``; in between the ``roofline``.
``results`` has ratios, their spread and the page; ``servers/`` how each of the others is written.
"""
