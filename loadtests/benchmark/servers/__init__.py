"""The other contenders, each as its own documentation advises; run in an environment of its own.

All read, gate, prepare and score by ``models``, as this project does; ``judging`` is what they
share. Only what carries an image from one to the other is theirs. Each batches up to the same
number of images and, where it waits for more, as long.
"""
