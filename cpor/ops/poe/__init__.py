"""The template of the proof of execution (R27): its words, what of a claim stands on it, and the Word document."""
