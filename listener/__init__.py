"""How front and runners listen: uvicorn, with bounds on what a client may make them hold.

uvicorn bounds neither heads nor connections nor the time that either takes. What was measured of
it and of others before it was kept is in ``docs/listener.md``.
"""
