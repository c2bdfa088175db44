"""What the console's people keep: in no journal, so never dropped and made anew.

schema      the tables
task_tables those of tasks
tasks       what operators set going, and what was done to it
items       the letters of a task
lock        who runs them: one process at a time
database    opening and migrating, by what stands in migrations
inserting   a row that may be there already
accounts    who may sign in
sessions    who is signed in
attempts    who tried in vain, and how long it must wait
approvals   what a second person must say yes to
notes       what operators write to each other about groups of failures
saved       lists that a person saved under a name
"""
