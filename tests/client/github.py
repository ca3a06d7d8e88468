"""What GitHub leaves of the HTML in a notebook: the elements and attributes that its html-pipeline allows."""

import bleach

_ELEMENTS = """
    h1 h2 h3 h4 h5 h6 br b i strong em a pre code img input tt div ins del sup sub p picture ol ul table thead tbody
    tfoot blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details caption figure
    figcaption abbr bdo cite dfn mark small source span time wbr
"""
_ATTRIBUTES = """
    abbr accept accept-charset accesskey action align alt axis border cellpadding cellspacing char charoff charset
    checked clear cols colspan compact coords datetime dir disabled enctype for frame headers height hreflang hspace
    id ismap label lang maxlength media method multiple name nohref noshade nowrap open progress prompt readonly rel
    rev role rows rowspan rules scope selected shape size span start summary tabindex title type usemap valign value
    width itemprop
"""


def sanitised(html: str, pictures: bool) -> str:
    """The page as GitHub shows it, whether or not it lets through pictures that are in the page itself."""
    anywhere = _ATTRIBUTES.split()
    attributes = {"*": anywhere, "a": [*anywhere, "href"], "img": [*anywhere, "src", "longdesc", "loading"]}
    protocols = {"http", "https", *(["data"] if pictures else [])}
    return bleach.clean(html, tags=_ELEMENTS.split(), attributes=attributes, protocols=protocols, strip=True)
