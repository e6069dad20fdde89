"""A small page of a heading and a sentence, for addresses that are not meant for browsers."""

from __future__ import annotations

import html

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;
background:light-dark(#f6f7f9,#0c0f14);color:light-dark(#11151c,#eef1f6)}
main{max-width:24rem;padding:2rem;text-align:center}
h1{font-size:1.25rem;font-weight:600;margin:0 0 .25rem}
p{margin:.25rem 0;color:light-dark(#485264,#b3bccb)}
"""


def notice_page(title: str, text: str) -> str:
    """Return the page; both texts are escaped."""
    heading = html.escape(title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{heading}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{heading}</h1><p>{html.escape(text)}</p></main></body></html>"
    )
