"""Claims to be recognised as a customer's partner of record."""
