"""The tracker's tables: everything in them can be dropped and folded again from the journal.

schema      the tables
rows        a row of each, in native types
opening     opening, reading, writing, dropping a database
migrating   tables brought to a newer form while everybody goes on
database    the tracker's: filled and compared
writer      facts in, one transaction with the journal's position
bulk        many rows at once, in the way each database does it best
queries     letters found, listed, followed and counted
views       what they answer with
failures    what a database that fails comes to
errors      what is refused here
desk        what the console's people keep: in no journal, and never dropped
"""
