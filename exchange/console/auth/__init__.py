"""Who may enter the console, and what is kept of what they do.

visitor     who is asking, as every route sees it: `current_user`, `require`
errors      what is refused here
"""
