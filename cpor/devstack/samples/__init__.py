"""Sample documents: proofs of execution that look real, and files of every kind that must be refused."""

from cpor.devstack.samples.content import Activity, PoeContent, PublicSector, Usage, realistic_content
from cpor.devstack.samples.pdf import poe_pdf

__all__ = ["Activity", "PoeContent", "PublicSector", "Usage", "poe_pdf", "realistic_content"]
