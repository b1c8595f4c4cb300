"""From a channel's name to its settings, and from these to its transport."""

from loanwatch.alerts.transport import Transport
from loanwatch.channel_settings import Channel, EmailChannel, SlackChannel, SlackWebhookChannel
from loanwatch.errors import SettingsError
from loanwatch.settings import Settings

__all__ = ["find_channel", "open_transport"]


def find_channel(settings: Settings, name: str) -> Channel:
    """Return a channel of the settings.

    Raises
    ------
    SettingsError
        If there is none of this name.
    """
    if name not in settings.channels:
        known = ", ".join(sorted(settings.channels)) or "none"
        raise SettingsError(f"there is no channel {name!r} (set: {known}): add [channels.{name}] to loanwatch.toml")
    return settings.channels[name]


def open_transport(name: str, channel: Channel) -> Transport:
    """Return the way out of a channel.

    Raises
    ------
    SettingsError
        If its `ca_file` cannot be read.
    """
    # each client library is loaded only where its channel is used
    try:
        if isinstance(channel, SlackChannel):
            from loanwatch.alerts.slack import SlackBot  # noqa: PLC0415

            return SlackBot(channel)
        if isinstance(channel, SlackWebhookChannel):
            from loanwatch.alerts.slack import SlackWebhook  # noqa: PLC0415

            return SlackWebhook(channel)
        if isinstance(channel, EmailChannel):
            from loanwatch.alerts.email import Email  # noqa: PLC0415

            return Email(channel)
        from loanwatch.alerts.webhook import Webhook  # noqa: PLC0415

        return Webhook(channel)
    except OSError as error:
        raise SettingsError(f"setting channels.{name}.ca_file: {error.strerror or error}") from error
