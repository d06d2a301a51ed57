"""Many images at once: receiving them, looking into an archive with care, judging one by one."""
