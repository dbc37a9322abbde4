"""What the pages of `docs/` take from the code: tables, one module for each kind, and the pictures of the states."""
