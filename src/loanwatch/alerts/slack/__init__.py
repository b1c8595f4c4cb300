"""Slack: by a bot, which keeps a thread for each alert, or by an incoming webhook."""

from loanwatch.alerts.slack.bot import SlackBot
from loanwatch.alerts.slack.webhook import SlackWebhook

__all__ = ["SlackBot", "SlackWebhook"]
