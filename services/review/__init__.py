"""The single writer of claim events: decides everything that lies in its one inbox (architecture §1)."""
