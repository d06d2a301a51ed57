"""Grafana dashboards, written with Grafana's own builders.

::

    board       what all have in common: panels, queries, the choice of an installation
    service     are the objectives kept?
    runners     what each model does with its time
    clinical    what came out, what was refused, and whether it still looks as it did
    capacity    how much of what there is is used
    gateway     what was received, where it stands, and what was delivered
    files       where they are written
"""
