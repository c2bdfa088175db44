"""What an auditor does with the archive's logs: verify them, prove entries, compare checkpoints.

service     `exchange audit verify` as a whole; read this first
verify      its steps, from a signed checkpoint down to every signature
heads       the log of heads, read and verified
pieces      a piece of a log, checked by itself
crew        who checks pieces: this process, or several
material    what they check with
state       how far it came, in a file to go on from
states      where every delivery stood, folded out of the log
prove       `exchange audit prove`
compare     `exchange audit compare`
times       `exchange audit times`
findings    what can be wrong
ports       what is asked of an archive
"""
