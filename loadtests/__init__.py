"""Load tests of a running osteoserve, and how much of it a given number of scans a day takes.

``python -m loadtests`` says what there is; docs/load.md and docs/capacity.md say what it means.
Over HTTP alone: of ``service`` only the table of objectives is read, of ``models`` only phantoms.
"""
