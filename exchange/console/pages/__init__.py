"""The console's pages.

`language.py` (which language, and its texts), `times.py` (moments and spans for people), `wording.py` (words, icons
and colours of what the domain names), `rendering.py` (templates to answers), and a module per page.
"""
