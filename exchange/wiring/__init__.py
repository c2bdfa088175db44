"""Where objects are joined: from a process's settings to the process. Nothing else is done here.

A module for each process, so that none imports what only another one needs: eight processes start
together in `exchange demo`.
"""
