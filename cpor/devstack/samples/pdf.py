"""The proof of execution as a PDF with the template's four sections (R27)."""

from __future__ import annotations

from cpor.devstack.samples.content import PoeContent, workload_title
from cpor.devstack.samples.paper import Paper

ACKNOWLEDGEMENT = (
    "On behalf of {customer} I confirm that {partner} carried out the work described in section 3 in our tenant, "
    "that section 4 names the products and workloads it concerned, and that {customer} agrees to {partner} being "
    "recorded as its claiming partner of record for them. I know that this can be declined later."
)


def poe_pdf(content: PoeContent) -> bytes:
    """One to two pages, A4 (letter for customers in the United States and Puerto Rico). Same content, same bytes."""
    paper = Paper(content)
    paper.title_block()
    _parties(paper, content)
    _acknowledgement(paper, content)
    _activities(paper, content)
    _usage(paper, content)
    return bytes(paper.output())


def _parties(paper: Paper, content: PoeContent) -> None:
    paper.section(1, "Partner and customer")
    rows = {
        "Partner company": f"{content.partner_name} (Partner ID {content.partner_location_id})",
        "Partner contact": content.partner_contact,
        "Customer company": content.customer_name,
        "Customer domain": content.domain,
        "Customer tenant ID": content.tenant_id,
        "Subscription ID": content.subscription_id,
        "Project name": content.project_name,
        "Public sector": content.public_sector and f"The customer is {content.public_sector}.",
    }
    for label, value in rows.items():
        if value:
            paper.row(label, value)


def _acknowledgement(paper: Paper, content: PoeContent) -> None:
    paper.section(2, "Customer acknowledgement")
    paper.paragraph(ACKNOWLEDGEMENT.format(customer=content.customer_name, partner=content.partner_name))
    paper.signature_block(content.signer_name, content.signer_title, content.signed_on)


def _activities(paper: Paper, content: PoeContent) -> None:
    paper.section(3, "Activities and evidence")
    rows = [
        (row.title, f"{row.started_on:%d %b %Y} –\n{row.ended_on:%d %b %Y}", row.description, row.evidence)
        for row in content.activities
    ]
    paper.grid((38, 26, 68), ("Activity", "Period", "What was done", "Evidence"), rows)


def _usage(paper: Paper, content: PoeContent) -> None:
    paper.section(4, "Usage claims")
    rows = [(workload_title(row.workload), row.activity_type, row.outcome) for row in content.usage]
    paper.grid((60, 56), ("Product or workload", "Activity type", "Outcome"), rows)
