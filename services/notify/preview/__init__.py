"""All mails to look at: `python -m services.notify.preview -o DIR`, or `cpor mail preview -o DIR`.

Every mail in each of its variants (`table.py`), in every language, with everything that may stand in it and with the
least; each as text, as HTML and as the message that is sent, and an `index.html` that shows them side by side.

    python -m services.notify.preview -o DIR --language de --mail approved,rejected

What all of them say is kept in `tests/unit/notify/snapshots`; `make snapshots` accepts changes
(of one language: `make snapshots PYTEST_ARGS="-k de/"`).
"""
