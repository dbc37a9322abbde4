"""Sample documents: proofs of execution that look real, and files of every kind that must be refused."""

from cpor.devstack.samples.bad import BadFile, bad_files
from cpor.devstack.samples.content import Activity, PoeContent, PublicSector, Usage, realistic_content
from cpor.devstack.samples.docx import poe_docx
from cpor.devstack.samples.pdf import poe_pdf
from cpor.devstack.samples.scans import scan_jpeg, scan_png

__all__ = [
    "Activity",
    "BadFile",
    "PoeContent",
    "PublicSector",
    "Usage",
    "bad_files",
    "poe_docx",
    "poe_pdf",
    "realistic_content",
    "scan_jpeg",
    "scan_png",
]
