"""What travels between the front and the runners: names, headers, limits, and pydantic types.

Both sides import it, so that neither can change the contract alone; of ``models`` it knows the
types, the recipe's names and sizes, and the geometry.

* ``runners``: which processes there are, what is asked where
* ``headers``: what a call says beside its body, and how much one call may hold
* ``answers``: what a runner answers for each image
* ``mask``: a mask of a frame as text
"""
