"""What is measured, a module each; every one returns what goes into ``results.json``."""
