"""The archive's own disk: the transparency logs (ADR 0018), what finds entries in them, and contents.

layout      what lies where
writer      the one writer: entries into logs; read this first
staging     a batch's part in one log; edge: its right edge, in memory
database    what is not yet in full tiles, positions, and what finds entries
publishing  partial tiles, and the signed checkpoint over them
durable     files that are there whole or not at all
contents    what people wrote, a file for each month; kept reads much of it
index       what finds an entry; indexing makes it
opening     looks at a start whether a disk lied; agreement: whether the parts agree
checking    every byte hashed again
addresses   where an archive may be
access      an archive as everybody reads it: reading from its folder, remote from its address, published from a store
objects     an object store
answers     what it answers over HTTP where there is no file
tokens      time-stamps over checkpoints; renewals: batches that are kept provable together
anew        begins a new log behind one that is lost
errors      what is refused here
"""
