"""Operators' tasks: letters set going again, as signed bytes and by nobody's new signature.

ports       what it asks of a speaker and of the journal
choosing    which deliveries a task is about: its exact list, the risk, the sample
office      what people do to tasks, asked by API and pages
letters     a letter's journalled bytes, read and checked; archived: when Kafka keeps them no longer
results     what became of items
throttle    how fast all of it may go, by what live letters wait
pace        how many letters that is now
turns       whose they are: what all tasks may say, shared among them
tables      what the runner reads and writes, a transaction each
runner      does what was let run; goes on after a restart where it stood
metrics     what it counts
"""
