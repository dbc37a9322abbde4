"""The customer's page: what a claim is about, and two buttons (D4, D9, D19, D20)."""
