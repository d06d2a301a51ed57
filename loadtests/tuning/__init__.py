"""How a runner should batch on this machine: measured, not guessed. See ``make tune``.

``policy.py`` chooses from curves, ``curve.py`` measures them, ``picture.py`` draws them.
"""
