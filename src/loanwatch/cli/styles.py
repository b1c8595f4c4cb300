"""How severities look in a terminal."""

__all__ = ["SEVERITY_STYLES", "severity_word"]

SEVERITY_STYLES = {"none": "green", "low": "cyan", "medium": "yellow", "high": "red", "critical": "bold red"}


def severity_word(severity: str) -> str:
    """Return a severity as a verdict in a list: "ok" and "notice" for those that ask nobody to act."""
    return {"none": "ok", "low": "notice"}.get(severity, severity)
