"""The tracker's tables: everything in them can be dropped and folded again from the journal.

schema      the tables
rows        a row of each, in native types
opening     opening, reading, writing, dropping a database
migrating   tables brought to a newer form while everybody goes on, by what stands in migrations
database    the tracker's: filled and compared
writer      facts in, one transaction with the journal's position
bulk        many rows at once, in the way each database does it best
queries     letters found, listed, followed and counted
lists       what lists are asked with: filters, pages, cursors
views       what questions are answered with; overviews: those about many deliveries at once
measures    what is counted of many deliveries; tallies keeps it counted, months are those of the exchange's time zone
deadlines   how far lanes have come, what is due, what has passed
putting_away old letters put away into files (archive), and back
shards      who folds which partitions, when several trackers share a database
failures    what a database that fails comes to
errors      what is refused here
desk        what the console's people keep: in no journal, and never dropped
"""
