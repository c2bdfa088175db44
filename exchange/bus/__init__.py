"""Kafka: the only place that knows how its clients behave.

connection       where the cluster is and who we are
topics, access   what must exist and who may do what, as values
administration   makes the cluster so and reports what differs; quotas beside it
difference       what differs, as values; bindings: rights in Kafka's own words
own_view         what a body sees of the cluster with its own rights; clock: the cluster's, compared with ours
transactions     producers that write all of a transaction or nothing
producer         an agent's statements, acknowledged in order
lane, lane_group the router's: exactly once, and which lanes are ours
consuming        a consumer in no group: opened, stood at offsets, closed
reader           a reader that keeps its own position and is never reset
picking          single records by their places, in any order
records          what readers get; batches bounds what a hostile one may cost
lookup           topic identities and offsets on a connection of their own
line             how an ordinary or a thin line is used; fetch_session: idle inboxes cost nothing on it
patience         a client that reaches no broker tries seldom; closing: it ends within seconds
errors           what aiokafka raises, in our tree; administration_errors: what `confluent-kafka` raises
"""
