"""The guards of each transition, one module for each kind of step; `decide.py` picks the handler."""
