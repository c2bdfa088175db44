"""Bytes: Avro records with Confluent framing, CloudEvents headers, hardened XML."""
