"""Webhooks: what a service tells by itself, taken in, checked and passed on.

`WebhookReceiver` serves them in the notebook; `WebhookApp` is the ASGI application alone, for a server of your own.
"""

from __future__ import annotations

from ipyassets.services.events import Event
from ipyassets.webhooks.app import WebhookApp
from ipyassets.webhooks.receiver import WebhookReceiver

__all__ = ["Event", "WebhookApp", "WebhookReceiver"]
