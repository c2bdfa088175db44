"""The tracker service.

service     follows the journal into the store
batch       a batch of the journal as facts, and work in a thread that is never left half done
metrics     what it counts
"""
