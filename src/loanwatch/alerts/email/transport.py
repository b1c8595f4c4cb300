"""Mail through an SMTP server; a repeat has the same Message-ID."""

import smtplib
import socket
import ssl

from loanwatch.alerts.email.payload import mail_of, message_id
from loanwatch.alerts.transport import CannotTellError, Delivery, DeliveryError, Receipt, Reconciliation, redacted
from loanwatch.channel_settings import EmailChannel

__all__ = ["Email"]


class Email:
    """Hands mails to one server, a connection each: alerts are rare, and idle connections are closed by servers."""

    reconciliation = Reconciliation.REPEATABLE

    def __init__(self, settings: EmailChannel) -> None:
        self._settings = settings
        self._trust = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)

    def send(self, delivery: Delivery) -> Receipt:
        """Hand the mail over; recipients that were refused beside others that were not stand in the receipt."""
        settings = self._settings
        mail = mail_of(delivery, sender=settings.sender, recipients=settings.recipients)
        server = self._connect()
        try:
            try:
                refused = server.send_message(mail)
            except smtplib.SMTPRecipientsRefused as error:
                code, words = max(error.recipients.values(), key=lambda answer: answer[0])
                raise _answer_failure(code, words, settings.secrets) from None
            except smtplib.SMTPResponseException as error:
                raise _answer_failure(error.smtp_code, error.smtp_error, settings.secrets) from None
            except (OSError, smtplib.SMTPException) as error:
                raise DeliveryError(f"no answer: {type(error).__name__}: {error}", may_have_arrived=True) from None
        finally:
            _quit(server)
        receipt: dict[str, object] = {"message_id": message_id(delivery, settings.sender)}
        if refused:
            receipt["refused"] = sorted(refused)
        return receipt

    def find(self, delivery: Delivery) -> Receipt | None:
        """Never possible: mail is repeated under the same Message-ID."""
        raise CannotTellError(f"a mail server cannot be asked for delivery {delivery.id}")

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        try:
            server = self._open()
            try:
                if settings.security == "starttls":
                    server.starttls(context=self._trust)
                if settings.user:
                    password = settings.password.get_secret_value() if settings.password else ""
                    server.login(settings.user, password)
            except BaseException:
                server.close()
                raise
        except ssl.SSLCertVerificationError as error:
            raise DeliveryError(f"the certificate is not trusted: {error.verify_message}", permanent=True) from None
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryError(f"the mail server cannot do this: {error}", permanent=True) from None
        except smtplib.SMTPResponseException as error:
            raise _answer_failure(error.smtp_code, error.smtp_error, settings.secrets) from None
        except (OSError, smtplib.SMTPException, socket.gaierror) as error:
            words = redacted(f"{type(error).__name__}: {error}", settings.secrets)
            raise DeliveryError(f"cannot connect: {words}") from None
        return server

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security == "tls":
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout_seconds, context=self._trust)
        return smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)


def _answer_failure(code: int, words: bytes | str, secrets: tuple[str, ...]) -> DeliveryError:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return DeliveryError(redacted(f"SMTP {code}: {text}", secrets), permanent=code >= 500)


def _quit(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):  # the mail was taken; how the talk ends does not matter
        server.close()
