"""What the front and the runners tell of themselves, and above all what they do not.

::

    journal    log lines, plain or JSON, with the ids of the trace that they belong to
    tracing    whether spans are made, and where they go
    export     spans on their way out, stripped of all that is not on a list

Knows neither the front nor the runners: ``service → telemetry ← bentos``.
"""
