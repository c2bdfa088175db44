"""What errors of databases say."""

import pytest
import sqlalchemy as sa

from adapters.connectors.durable import ConnectorError
from adapters.connectors.sql.errors import sql_errors


def test_nothing_of_a_letter_is_in_an_error() -> None:
    """What a driver says about data may quote it."""
    for kind in (sa.exc.DataError, sa.exc.IntegrityError):
        with pytest.raises(ConnectorError, match="staging: ValueError") as caught, sql_errors("staging"):
            raise kind("INSERT", {"content": "Купуя"}, ValueError("Купуя"))
        assert "Купуя" not in str(caught.value)
