"""Consent: asks the customer, takes the answer, and says what silence comes to (D4, D9, D19, D20)."""
