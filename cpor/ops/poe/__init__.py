"""The proof of execution: its template in five languages (R27), and the documents of a claim for who reads them."""
