"""The agent: a body's durable spool and its way to and from the exchange."""
