"""How many replicas, cores and GPUs a number of scans a day takes: costs, day, queues, sizing.

A calculation on one page, and a simulation that does not believe it. docs/capacity.md is made from
both: ``python -m loadtests capacity --page``.
"""

from __future__ import annotations

from loadtests.capacity.command import add_command
from loadtests.capacity.costs import CapacityError, Costs
from loadtests.capacity.page import write as write_page

__all__ = ["CapacityError", "Costs", "add_command", "write_page"]
