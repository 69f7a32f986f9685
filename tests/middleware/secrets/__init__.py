"""A corpus of made-up secrets and of harmless values, to see what the relay writes of either.

Nothing here is a real secret, and no file holds one even of its form: they are put together from templates at run time.
"""
