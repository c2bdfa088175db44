"""The operators' console: pages, JSON API, stream of changes and tasks in one process.

desk        what pages and API work with
app         the ASGI application: everything below put together
shield      what every request goes through: limits, ids, headers, the last word on what goes wrong
refusals    what goes wrong, told to people and to programs
proxies     whose requests a proxy of ours brings
api/        /api/v1
pages/      HTML from `templates`, `static` and `locale`; none of them needs a script to work
auth/       who asks
stream/     changes, told to pages and programs as they come
contents    what people wrote, for those who may read it
evidence/   the report of an evidence package, and who makes packages
seals       lists that leave the console signed
checks      checks of the journal that auditors begin; checking does them, verifications tells when one was made last
enrolment   letting a body in; cases: how far each is
task_desk   tasks as requests find them
words       words of addresses and of the API
assets/     what pages load beside their own files
process     the process
"""
