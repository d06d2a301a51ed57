"""The edge: the front with its models in the same process, and a folder whose files are judged.

* ``models``: what the runners answer, computed here by LiteRT
* ``client``: asks those models as ``service.runners`` asks a runner, on one thread
* ``folder``: what is put into the folder, and what becomes of it
* ``watching``: judges what was put in
* ``alone``: which settings the edge refuses, since it calls nobody
* ``limits``: what it is bounded by where nothing is set
* ``app``: puts them together

It imports ``models.inference``, which nothing else in ``service`` does, and is in the edge's image
alone.
"""
