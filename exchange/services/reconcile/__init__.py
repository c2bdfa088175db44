"""What the directory means at the brokers: topics, rights and quotas, and making them so.

allowances   how much each kind of body may use
wanted       what there must be, from a version of the directory
plan         what would change, from what there must be and what there is
cluster      looks, changes, and looks again

Nothing is remembered: whoever was killed in the middle looks again and goes on. The first three are pure.
"""
