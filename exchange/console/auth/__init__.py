"""Who may enter the console, and what is kept of what they do.

visitor     who is asking, as every route sees it: `current_user`, `require`
errors      what is refused here
"""

from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.visitor import Visitor, csrf_token, current_user, require, signed_in

__all__ = ["AccessRefused", "Visitor", "csrf_token", "current_user", "require", "signed_in"]
