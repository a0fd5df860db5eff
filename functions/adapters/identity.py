"""The app's identity in Azure, for every SDK alike."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


def managed_identity(client_id: str) -> "TokenCredential":
    """The user-assigned identity with this client id, the system-assigned one when it is empty."""
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id or None)
