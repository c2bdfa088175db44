"""What this package refuses.

ExchangeError
└── AccessRefused       somebody is not let in, not allowed to, or must wait; its status says which
"""

from http import HTTPStatus

from exchange.domain.errors import ExchangeError


class AccessRefused(ExchangeError):
    """A request that its sender may not make."""

    code = "right-missing"

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: HTTPStatus = HTTPStatus.FORBIDDEN,
        wait_seconds: int = 0,
    ) -> None:
        """Keep the status of the answer.

        Args:
            message: what is wrong, and the next step.
            code: stable code.
            status: 401 before anybody signed in, 403 when signing in would not help, 429 to wait.
            wait_seconds: after which the same request may be let through; 0: not by waiting.
        """
        super().__init__(message, code=code, retriable=wait_seconds > 0)
        self.status = status
        self.wait_seconds = wait_seconds
