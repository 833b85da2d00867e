"""The simulator is a measuring instrument: these tests calibrate it against the facts in its docstrings."""
