"""The exchange: official letters between state bodies, signed, delivered and provable.

Read `docs/design.md` for the way through the code. The rooms, top to bottom:

    cli          what a person types
    client       the small public Python API
    embedded     Kafka and PostgreSQL for trying out and for tests
    wiring       where objects are joined
    services     router, tracker
    agent        a body's spool and its way to and from the exchange
    store bus journal    the tracker's tables | Kafka | how decisions are made and replayed
    security     certificates, signatures, the signed directory
    wire         Avro, CloudEvents, XML
    domain       values and rules, standard library only
"""
