"""The agent: a body's durable spool and its way to and from the exchange.

agent          joins the parts for one body or many; read this first
intake         EDMS → spool            handover   spool → EDMS
outbound       spool → exchange        inbound    exchange → spool
mailbox        what a program may do without an EDMS

witnessing     what the transparency log proves of what was said

keeping        what an inbox record brought, into the spool
feed           what arrives, as a program reads it that asks again and again

protocol       what a notice leads to: a pure function and its table (rule 2.5)
key_ring       which of a body's keys signs
chain          a body's numbered chain: signs drafts, does what notices ask for
arrivals       what an inbox record must prove
drafts         from an EDMS's words to a statement that only lacks its number
correspondence replies and receipts find their letter
rendering      arrivals as formats take them
spool          the only state

ports          what is asked of an EDMS; transport: what is asked of the bus
office, status, timing, tracing, bounds, history, errors: shared by the parts
"""
