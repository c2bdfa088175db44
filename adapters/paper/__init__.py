"""The paper bridge: letters printed for bodies that are not connected yet, and the clerk's receipts for them.

An agent's side as every other: `format.py` renders a letter as a PDF and reads what the clerk says of it,
the folder connector carries both. `desk.py` is the clerk's own view of that folder.
"""
