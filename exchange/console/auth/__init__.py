"""Who may enter the console, and what is kept of what they do.

visitor     who is asking, as every route sees it: `current_user`, `require`
entrance    every request passes here: who it comes from, and whether it may be made
people      of those who come with a browser; tokens: of programs
door        letting people in, and out again
passwords   of local accounts; limits: how often a sign-in may fail
oidc        signing in by an identity provider; answers, claims: what it says, identity: whom that makes
cookies     what a browser holds; secret: random values in it, origin: whether a page of ours sent a request
paths       where a browser is sent after it signed in
acts        what people did, to be kept; spoken keeps it in the journal
errors      what is refused here
"""
