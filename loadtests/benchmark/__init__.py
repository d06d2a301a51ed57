"""``make bench``: this project, other systems and the bare runtime, side by side, in rounds.

::

    __main__        rounds of every system, within the minutes given
    ├── turn        one system's part of a round: started, checked, measured, ended
    │   ├── server      its processes, and what they cost
    │   ├── clients     who send, each waiting for its answer
    │   └── reference   the images, and Keras's answers to some of them
    ├── roofline    the bare runtime in a loop, asked between turns
    ├── systems     the table of them
    │   └── servers/    how each is written, run in an environment of its own
    └── results     one JSON file, ratios and their spread, the page

Everything stays on loopback. Nothing here imports an engine: reference and roofline are processes.
"""
