"""What is said of the models' quality, as one value: figures, curves, tables, comparison.

::

    data.py       whose truth is known: labels, groups, attributes
    scored.py      what one model said of each case, with the threshold that held for it
    curves.py      ROC, precision and recall, reliability
    report.py      one model's figures, curves and tables
    subgroups.py   the same figures for women, for a vendor, … where enough were seen
    published.py   figures that others claim, and why they cannot be compared
    evaluation.py  all of it, to evaluation.json and back
    plots.py       the same as SVG
    tables.py      the same as Markdown
"""

from models.evaluation.evaluation import DataFacts, Evaluation, Leak, evaluate
from models.evaluation.report import Report, judge
from models.evaluation.scored import Scored

__all__ = ["DataFacts", "Evaluation", "Leak", "Report", "Scored", "evaluate", "judge"]
