"""Why a message cannot be made.

MessageError
├── BadSeries        one series breaks a rule: it is rejected with this reason, the others go on (coordinator 6)
├── UnknownResult    a result table that the receiver table does not know: an error of the product
└── BadEnvelope      a finished message that must not be sent (messages 4)
"""

from shared.errors import SettlementError


class MessageError(SettlementError):
    """Base of what the messages refuse."""


class BadSeries(MessageError):
    """One series that can never be sent; the message names what is wrong with it."""


class UnknownResult(MessageError):
    """A result that has no row in the receiver table and is not on the list of those never sent."""


class BadEnvelope(MessageError):
    """A message that fails the checks before sending."""
