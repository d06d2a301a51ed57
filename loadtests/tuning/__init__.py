"""How a runner should batch on this machine: measured, not guessed. See ``make tune``."""
