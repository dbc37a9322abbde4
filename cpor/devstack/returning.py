"""Mails that come back after a server took them: reports in the form of RFC 3464, put into a Maildir."""

from __future__ import annotations

import mailbox
from email import message_from_bytes
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

HOST = "sink.cpor.example"
#: Beginning of an address's local part → action and status; the first that fits.
ANSWERS = (("dsn-delay-", "delayed", "4.4.1"), ("dsn-", "failed", "5.1.1"))


def comes_back(address: str) -> bool:
    return address.startswith("dsn-")


def give_back(folder: Path, address: str, content: bytes, envid: str = "") -> None:
    """The report about a mail to an address that comes back; whole in the Maildir, or not there."""
    mailbox.Maildir(folder, create=True).add(bytes(report(address, message_from_bytes(content), envid)))


def report(address: str, mail: Message, envid: str) -> Message:
    """With the mail's headers, as most servers give them back, and the name that its sender gave it (`envid`)."""
    action, status = next(answer for start, *answer in ANSWERS if address.startswith(start))
    told = MIMEMultipart("report")
    told.set_param("report-type", "delivery-status")
    told["From"] = f"Mail Delivery System <MAILER-DAEMON@{HOST}>"
    told["To"] = str(mail["From"])
    told["Subject"] = "Delayed Mail" if action == "delayed" else "Undelivered Mail Returned to Sender"
    told["Auto-Submitted"] = "auto-replied"
    told.attach(MIMEText(f"Your mail to <{address}>: {action}, {status}.\n"))
    told.attach(_status(address, action, status, envid))
    told.attach(MIMEText("".join(f"{name}: {value}\n" for name, value in mail.items()), "rfc822-headers"))
    return told


def _status(address: str, action: str, status: str, envid: str) -> Message:
    server, recipient = Message(), Message()
    if envid:
        server["Original-Envelope-Id"] = envid
    server["Reporting-MTA"] = f"dns; {HOST}"
    recipient["Final-Recipient"] = f"rfc822; {address}"
    recipient["Action"] = action
    recipient["Status"] = status
    part = MIMEBase("message", "delivery-status")
    part.set_payload([server, recipient])
    return part
