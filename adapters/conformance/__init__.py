"""Does a document system speak a format as the exchange does? Cases to hand over to it, and how its answers are judged.

cases    letters, documents that are none, receipts in every order: what is handed over, and what must come of it
judge    what came of it
"""
