"""What people read, in their language: words for codes, sentences, dates. Codes stay English everywhere else (§1.1)."""

from cpor.words.languages import ENGLISH, LANGUAGES, chain
from cpor.words.speech import Speech, speak

__all__ = ["ENGLISH", "LANGUAGES", "Speech", "chain", "speak"]
