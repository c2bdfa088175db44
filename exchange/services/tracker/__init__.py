"""The tracker service.

service     follows the journal into the store
feed        the journal's next batches, read and decoded while one is stored
metrics     what it counts
"""
