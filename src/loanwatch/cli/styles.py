"""How severities look in a terminal."""

__all__ = ["SEVERITY_STYLES"]

SEVERITY_STYLES = {"none": "green", "low": "cyan", "medium": "yellow", "high": "red", "critical": "bold red"}
