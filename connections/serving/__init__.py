"""How the product runs: one parent that starts, watches and stops web, queue and ticker, each a process of its own.

`start.serve(Site(…))` is the door; the other modules are its parts.
"""
