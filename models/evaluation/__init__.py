"""What is said of the models' quality, as one value: figures, curves, tables, comparison.

::

    schema.py      evaluation.json, to the file and back; all that the front reads of this
    scored.py      what one model said of each case, with the threshold that held for it
    metrics.py     figures with their intervals
    curves.py      ROC, precision and recall, reliability
    report.py      one model's figures, curves and tables
    subgroups.py   the same figures for women, for a vendor, … where enough were seen
    agreement.py   how alike a scan and its altered copies are answered
    published.py   figures that others claim, and why they cannot be compared
    evaluation.py  all of it together
    plots.py       the same as SVG
    tables.py      the same as Markdown
"""
