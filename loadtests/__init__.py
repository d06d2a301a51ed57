"""Load tests of a running osteoserve, how much of it a number of scans takes, how fast it is.

::

    __main__       run, worker, baseline, compare, measure, capacity
    ├── plan, shapes, mix, requests, images     what is sent, and when
    ├── run, locustfile                         Locust's processes, and what they do
    ├── answers, stats, gate, report, baseline  whether it is right, in time, and no worse
    └── target, measurement, machine, capacity  a local instance, what it serves, how many it takes
    tuning/        how runners should batch here
    benchmark/     beside other servers and the bare runtime
"""
