"""The operators' console: pages, JSON API, stream of changes and tasks in one process.

desk        what pages and API work with
app         the ASGI application: everything below put together
shield      what every request goes through: limits, ids, headers, the last word on what goes wrong
refusals    what goes wrong, told to people and to programs
api/        /api/v1
pages/      HTML from `templates`, `static` and `locale`; none of them needs a script to work
auth/       who asks
process     the process
"""
