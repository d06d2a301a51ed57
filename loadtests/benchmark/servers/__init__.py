"""The other systems, each as its own documentation advises; run in an environment of its own.

All do what this project does, by ``shared``: vertebrae first, then the base models together, then
the stack, a process each. Only what carries an image from one to the other is theirs.
"""
