"""Values and rules of the exchange: standard library only, no clock, no I/O."""
