"""How a patient's spine BMD goes on: numbers alone, in numpy; trained in ``models/training``."""
