"""Load tests of a running osteoserve, how much of it a number of scans takes, how fast it is.

::

    __main__       run, worker, baseline, compare, measure, capacity
    ├── plan, shapes, mix, requests, images     what is sent, and when
    ├── run, locustfile                         Locust's processes, and what they do
    ├── answers, stats, gate, report, baseline  whether it is right, in time, and no worse
    ├── target, measurement, machine            a local instance, and what this machine serves
    └── capacity                                replicas for a number of scans a day
    tuning/        how runners should batch here
    benchmark/     beside other servers and the bare runtime
    processes, table                            what all of them use

What is not in a subfolder speaks to the service over HTTP: of ``service`` it imports only the table
of objectives (``service.observability.slo``), of ``models`` only ``phantom``. The other two run
models themselves: ``tuning`` imports ``bentos.policy`` and of ``models`` what scores; ``benchmark``
of ``models`` all that lies between a file and an answer, since its contenders serve that.
"""
