"""The tracker service.

service     follows the journal into the store
batch       a batch of the journal as facts
deadlines   says that deadlines have passed
terms       until when what must be done, by policy and directory
tallying    counts beside it what pictures and reports show
archiving   puts old letters away beside it
metrics     what it counts
"""
