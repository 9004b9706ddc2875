"""What Open311's answers say beside names: the standard has one language, so the caller's is taken."""

from fastapi import Request

from layers.catalog.city import Name

_NOTICE = {
    "en": "Keep this token: whoever has it sees how the report stands, and nobody can find it again for you.",
    "zh": "请保存此凭证：凭它可查询办理进度，遗失后无法找回。",
}
_LINKED = {
    "en": "The media_url is not kept: nothing is loaded from elsewhere.",
    "zh": "media_url 未保存：本系统不从外部加载任何内容。",
}
_UNKEPT = {
    "en": "The photo was not kept: too many came within an hour.",
    "zh": "照片未保存：一小时内收到的照片过多。",
}
_MERGED = {"en": "Merged into", "zh": "已并入"}


def language_of(request: Request, otherwise: str) -> str:
    """`en` or `zh`: the earliest of Accept-Language that is one of them, else the city's first."""
    wanted = [part.strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    return next((lang for lang in (*wanted, otherwise) if lang in _NOTICE), "en")


def said(name: Name, lang: str) -> str:
    """A name in a language."""
    return name.zh if lang == "zh" else name.en


def notice(lang: str, *, token: bool, linked: bool, unkept: bool) -> str | None:
    """What whoever reports should know: of its token, of a picture that is elsewhere, of one that was not kept."""
    every = ((_NOTICE, token), (_LINKED, linked), (_UNKEPT, unkept))
    return " ".join(text[lang] for text, told in every if told) or None


def merged(lang: str, main: int) -> str:
    """That a request was merged into another."""
    return f"{_MERGED[lang]} {main}"
