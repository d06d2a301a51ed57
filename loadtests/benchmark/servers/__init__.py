"""The other systems, each as its own documentation advises; run in an environment of its own.

All do what this project does, by ``shared``: vertebrae are looked for first, then the base models
are asked together, then the stack, each a process of its own. Only what carries an image from one
to the other is theirs. Each batches up to the same number of images, and waits as long for more.
"""
