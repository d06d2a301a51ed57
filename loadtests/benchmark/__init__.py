"""``make bench``: this project, its peers and the machine's own limit, side by side in one run.

::

    modes/          what is measured: throughput, one, overload, linear, front
    ├── search          the highest rate that keeps the p99
    ├── load            one process that sends: arrivals, images, generator
    ├── server          a contender's processes, started and stopped; what they cost is in tree
    ├── contenders      the table of them
    │   └── servers/    how each peer is written, run in an environment of its own
    ├── limit           the bare runtime in a loop
    └── answers         each is held against reference, which is Keras
    results         one JSON file, and the ratios
    ├── table           as Markdown
    └── picture         as SVG

Everything stays on loopback. Nothing here imports an engine: reference and limit are processes.
"""
