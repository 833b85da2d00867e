"""An exhaustive check of the custody protocol: every interleaving, in small bounds.

`python -m tests.model` prints what was explored. The model knows the protocol's own steps and the order in which a
Sugar server works on its rows; it shares no code with the product.
"""

from __future__ import annotations
