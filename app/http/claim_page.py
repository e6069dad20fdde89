"""What a browser sees at a claim link: how to withdraw, with a QR code."""

from __future__ import annotations

import base64
import hashlib
import html
import io

import segno

from app.container import Container
from models.errors import NotFoundError
from services import lnurl
from services.plain_text import plain_text

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;
background:light-dark(#f6f7f9,#0e1116);color:light-dark(#14181f,#e8ebf0)}
main{max-width:22rem;padding:2rem;text-align:center}
h1{font-size:1.25rem;font-weight:600;margin:0 0 .25rem}
p{margin:.25rem 0;color:light-dark(#5a6472,#9aa4b2)}
.qr{background:#fff;border-radius:16px;padding:12px;margin:1.25rem auto;width:min(100%,17rem)}
.qr svg{width:100%;height:auto;display:block}
a.button{display:inline-block;padding:.7rem 1.4rem;border-radius:10px;text-decoration:none;
background:#f5b301;color:#14181f;font-weight:600}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"


async def claim_page(services: Container, claim_token: str) -> str:
    """Return a small page without scripts; texts of strangers are escaped."""
    try:
        offer = await services.withdrawals.offer_link(claim_token)
    except NotFoundError:
        return _page("This link is not known", "<p>Ask whoever gave it to you for a new one.</p>")
    if offer.max_msat < offer.min_msat or offer.max_msat == 0:
        return _page(offer.description, "<p>Nothing can be withdrawn here at the moment.</p>")
    code = lnurl.encode(f"{services.settings.base_url}/lnurlw/{claim_token}")
    drawn = io.BytesIO()
    segno.make(code, error="m").save(drawn, kind="svg", xmldecl=False, border=1, omitsize=True)
    body = (
        f"<p>Up to {offer.max_msat // 1000:,} sats</p>"
        f'<div class="qr">{drawn.getvalue().decode()}</div>'
        "<p>Scan with a Lightning wallet, or</p>"
        f'<p><a class="button" href="lightning:{code}">Open in a wallet</a></p>'
    )
    return _page(offer.description, body)


def _page(title: str, body: str) -> str:
    heading = html.escape(plain_text(title, 100))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{heading}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{heading}</h1>{body}</main></body></html>"
    )
