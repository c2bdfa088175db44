"""Kafka: the only place that knows how its clients behave.

connection       where the cluster is and who we are
topics, access   what must exist and who may do what, as values
administration   makes the cluster so and reports what differs; quotas beside it
producer         an agent's statements, acknowledged in order
lane, lane_group the router's: exactly once, and which lanes are ours
reader           a reader that keeps its own position and is never reset
records          what readers get; batches bounds what a hostile one may cost
lookup           topic identities and offsets on a connection of their own
"""
