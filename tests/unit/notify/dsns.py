"""Mails as they come back: the shapes of the mail systems that send most of them, with our mail in each."""

from __future__ import annotations

import base64

NAME = "7c3f9a52-4d1e-5b60-9a77-0c5d3e8f1a24"
OTHER = "1f0e8d7c-6b5a-5493-8271-60f5e4d3c2b1"
ADDRESS = "kana.ito@contoso.example"

#: Our own headers, as servers give them back.
OURS = f"""\
Received: from mail.cpor.example (mail.cpor.example [192.0.2.10])
 by mx.contoso.example with ESMTPS; Mon, 4 Mar 2024 08:00:01 +0000
Message-ID: <{NAME}@cpor.example>
Date: Mon, 04 Mar 2024 08:00:00 +0000
From: CPOR claims <no-reply@cpor.example>
To: Kana Ito <{ADDRESS}>
Subject: Nordwind names you as its customer
References: <{OTHER}@cpor.example>
Auto-Submitted: auto-generated
X-CPOR-Kind: customer_approved
"""


def report(
    human: str,
    status: str,
    returned: str = OURS,
    returned_type: str = "text/rfc822-headers",
    sender: str = "Mail Delivery System <MAILER-DAEMON@mx.contoso.example>",
    subject: str = "Undelivered Mail Returned to Sender",
    human_type: str = "text/plain; charset=us-ascii",
) -> bytes:
    """multipart/report with its three parts (RFC 6522); without the third where `returned` is empty."""
    third = f"--b\nContent-Type: {returned_type}\n\n{returned}\n" if returned else ""
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: no-reply@cpor.example\nSubject: {subject}\n"
        "Auto-Submitted: auto-replied\n"
        "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\nContent-Type: {human_type}\n\n{human}\n"
        f"--b\nContent-Type: message/delivery-status\n\n{status}\n{third}--b--\n"
    ).encode()


def recipient(action: str, status: str, diagnostic: str = "", address: str = ADDRESS) -> str:
    told = f"Diagnostic-Code: smtp; {diagnostic}\n" if diagnostic else ""
    return f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\n{told}"


POSTFIX = report(
    "This is the mail system at host mx.contoso.example.\n\nI'm sorry to have to inform you that your message could\n"
    f"not be delivered.\n\n<{ADDRESS}>: host mail.contoso.example said: 550 5.1.1 User unknown",
    "Reporting-MTA: dns; mx.contoso.example\nX-Postfix-Queue-ID: 4TpQ2c0Xyz\n"
    "Arrival-Date: Mon,  4 Mar 2024 08:00:01 +0000\n\n"
    + recipient("failed", "5.1.1", f"550 5.1.1 <{ADDRESS}>: Recipient address rejected:\n    User unknown"),
)
POSTFIX_DELAYED = report(
    "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n"
    "Your message could not be delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.",
    "Reporting-MTA: dns; mx.contoso.example\n\n" + recipient("delayed", "4.4.1", "connect to mail: timed out"),
    subject="Delayed Mail (still being retried)",
)
POSTFIX_EXPIRED = report(
    "Your message could not be delivered for five days.",
    "Reporting-MTA: dns; mx.contoso.example\n\n" + recipient("failed", "4.4.7", "connect to mail: timed out"),
)
EXIM = report(
    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be"
    f" delivered to one or more of its\nrecipients. This is a permanent error.\n\n  {ADDRESS}\n    Unrouteable address",
    "Reporting-MTA: dns; mx.contoso.example\n\n"
    f"Action: failed\nFinal-Recipient: rfc822;{ADDRESS}\nStatus: 5.0.0\nRemote-MTA: dns; mail.contoso.example",
    returned=f"Return-path: <no-reply@cpor.example>\n{OURS}\nGood day,\n\nNordwind names you.",
    returned_type="message/rfc822",
)
#: Without a status of its own: only the server's answer has one.
GMAIL = report(
    '<html><body><img src="cid:icon.png">Your message wasn\'t delivered to <b>kana</b></body></html>',
    "Reporting-MTA: dns; googlemail.example\nReceived-From-MTA: dns; no-reply@cpor.example\n\n"
    f"Final-Recipient: rfc822; {ADDRESS}\nAction: failed\nRemote-MTA: dns; gmail-smtp-in.example. (192.0.2.26)\n"
    "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.\n"
    " 550 5.1.1  For more information, go to the help pages. a1-20020a - gsmtp",
    returned=f"X-Received: by 2002:a05:6a20 with SMTP id abc.1;\n{OURS}",
    returned_type="message/rfc822",
    sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
    subject="Delivery Status Notification (Failure)",
    human_type="text/html; charset=UTF-8",
)
EXCHANGE = report(
    "Delivery has failed to these recipients or groups:\n\nKana Ito\n",
    "Reporting-MTA: dns;AM9PR01MB1234.eurprd01.prod.exchange.example\nReceived-From-MTA: dns;mail.cpor.example\n"
    "Arrival-Date: Mon, 4 Mar 2024 08:00:03 +0000\n\n"
    f"Final-Recipient: rfc822;{ADDRESS}\nAction: failed\nStatus: 5.1.10\n"
    "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\n"
    "X-Display-Name: Kana Ito",
    returned=OURS,
    returned_type="message/rfc822",
    sender="Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.example>",
    subject="Undeliverable: Nordwind names you as its customer",
)
#: The original is not there; the envelope's id is (RFC 3461).
BY_ENVELOPE = report(
    "The mail was not delivered.",
    f"Reporting-MTA: dns; mx.contoso.example\nOriginal-Envelope-Id: {NAME.replace('-', '+2D')}\n\n"
    + recipient("failed", "5.2.1"),
    returned="",
)
#: Only a text names it.
BY_TEXT = report(
    f"Your mail was refused.\n\nOriginal message headers:\n\n  Message-ID: <{NAME}@cpor.example>\n  To: {ADDRESS}\n",
    "Reporting-MTA: dns; mx.contoso.example\n\n" + recipient("failed", "5.7.1"),
    returned="",
)
JAPANESE = report(
    base64.b64encode("宛先のメールアドレスが見つからないため、配信できませんでした。".encode("iso-2022-jp")).decode(),
    "Reporting-MTA: dns; mx.contoso.example\n\n" + recipient("failed", "5.1.1", "550 5.1.1 宛先不明"),
    subject="=?ISO-2022-JP?B?GyRCR1s/LiRHJC0kXiQ7JHMkRyQ3JD8bKEI=?=",
    human_type="text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: base64",
)
#: An address that stands for three mailboxes.
SEVERAL = report(
    "Some recipients were not reached.",
    "Reporting-MTA: dns; mx.contoso.example\n\n"
    + "\n".join(
        (
            recipient("relayed", "2.1.9", address="a@contoso.example"),
            recipient("failed", "5.2.2", address="b@contoso.example"),
            recipient("delayed", "4.4.1", address="c@contoso.example"),
        )
    ),
)
RELAYED = report(
    "Your message was relayed.", "Reporting-MTA: dns; mx.contoso.example\n\n" + recipient("relayed", "2.1.9")
)
#: With addresses in other letters (RFC 6533).
GLOBAL = (
    report("Not delivered.", f"Reporting-MTA: dns; mx\n\n{recipient('failed', '5.1.1', address='花@例え.example')}")
    .replace(b"message/delivery-status\n", b"message/global-delivery-status\n")
    .replace(b"text/rfc822-headers", b"message/global-headers")
)
#: A gateway's footer around it.
WRAPPED = (
    b"From: MAILER-DAEMON@mx.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=outer\n\n--outer\n"
    + POSTFIX
    + b"\n--outer\nContent-Type: text/plain\n\nThis mail was scanned.\n--outer--\n"
)

# -- in forms of their own --------------------------------------------------------------------------------------------

QMAIL = f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.contoso.example
To: no-reply@cpor.example
Subject: failure notice

Hi. This is the qmail-send program at mx.contoso.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{ADDRESS}>:
192.0.2.7 does not like recipient.
Remote host said: 550 sorry, no mailbox here by that name

--- Below this line is a copy of the message.

Return-Path: <no-reply@cpor.example>
{OURS}
Good day
""".encode()
OLD_EXIM_WARNING = f"""\
From: Mail Delivery System <Mailer-Daemon@mx.contoso.example>
To: no-reply@cpor.example
Subject: Warning: message 1rgKbX-0004Vw delayed 24 hours
Auto-Submitted: auto-replied

A message that you sent has not yet been delivered to one or more of its recipients after more than 24 hours.
No action is required on your part. Delivery attempts will continue for some time.

Message-ID: <{NAME}@cpor.example>
""".encode()
#: HTML alone, with the headers in it.
OLD_EXCHANGE = f"""\
From: System Administrator <postmaster@contoso.example>
To: no-reply@cpor.example
Subject: Undeliverable: Nordwind names you as its customer
MIME-Version: 1.0
Content-Type: text/html; charset=windows-1252

<html><body><p>Your message did not reach some or all of the intended recipients.</p>
<p>'Kana Ito' on 04/03/2024 08:00</p><p>550 5.1.1 RESOLVER.ADR.RecipNotFound; not found</p>
<hr>Message-ID: &lt;{NAME}@cpor.example&gt;</body></html>
""".encode()
#: The boundary is another than the header says.
BROKEN = POSTFIX.replace(b"boundary=b", b"boundary=c")

# -- what is none -----------------------------------------------------------------------------------------------------

REPLY = f"""\
From: Kana Ito <{ADDRESS}>
To: claims@cpor.example
In-Reply-To: <{NAME}@cpor.example>
Subject: Re: Nordwind names you as its customer

550 5.1.1 is what your last mail to my colleague said. I am happy with Nordwind.

> Message-ID: <{NAME}@cpor.example>
""".encode()
HOLIDAY = f"""\
Return-Path: <>
From: Kana Ito <{ADDRESS}>
To: no-reply@cpor.example
In-Reply-To: <{NAME}@cpor.example>
Auto-Submitted: auto-replied
Subject: Out of office

I am back on 15 March.
""".encode()
RECEIPT = (
    POSTFIX.replace(b"report-type=delivery-status", b"report-type=disposition-notification")
    .replace(b"message/delivery-status", b"message/disposition-notification")
    .replace(b"Action: failed", b"Disposition: manual-action/MDN-sent-manually; displayed")
)
#: A report about somebody else's mail.
STRANGE = POSTFIX.replace(f"<{NAME}@".encode(), b"<20240304.abc@").replace(OTHER.encode(), b"20240303.abc")
#: A report about a report: what it gives back is a report of ours.
ABOUT_A_REPORT = report(
    "Your message could not be delivered.",
    "Reporting-MTA: dns; mx.contoso.example\n\n" + recipient("failed", "5.1.1", address="no-reply@other.example"),
    returned=POSTFIX.decode()
    .replace("boundary=b", "boundary=i")
    .replace("--b", "--i")
    .replace("From:", "Message-ID: <20240304.report@mx.contoso.example>\nFrom:", 1),
    returned_type="message/rfc822",
)
