"""Numbers and signs that stand for one person: ID cards, telephones, plates, e-mail addresses, messenger accounts.

Each finder takes a text with plain signs (ASCII digits, letters and stops) and gives half-open spans of it. A
number is taken whole or not at all: no finder looks into a longer run of digits, nor behind a decimal point. Each
has a clue: what every text with such a span holds before its signs are made plain, for Python and RE2 alike.
"""

import re
from collections.abc import Iterator
from datetime import date

Spans = Iterator[tuple[int, int]]

_HAN_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_CODES = (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54)
_PROVINCES = frozenset(map(str, (*_CODES, 61, 62, 63, 64, 65, 71, 81, 82, 83)))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_DIGIT = "[0-9０-９]"
# A digit behind what may part digits: no letter, and no colon, slash or comma as in times, dates and amounts.
_NEXT = "[^0-9A-Za-z０-９:：/,，]{0,4}[0-9０-９]"
_START = r"(?<![0-9])(?<![0-9]{2}\.)"
_GAP = r"[ .·-]{0,3}"

_CARD = "身份证|证件|护照|通行证|社保|[Pp]assport|PASSPORT|I[Dd] [Cc]ard"
CARD_CLUE = f"{_DIGIT}(?:{_NEXT}){{13}}|(?:{_CARD})[^0-9０-９]{{0,12}}{_DIGIT}"
_CARDS = (
    re.compile(_START + r"(?=([1-8](?:[ -]{0,2}[0-9]){16}[ -]{0,2}[0-9Xx])(?![0-9]))"),
    re.compile(_START + r"(?<![A-Za-z])(?=([1-8][0-9]{5}[ -]?[0-9]{6}[ -]?[0-9]{3})(?![0-9Xx]))"),
)
_NAMED_CARD = re.compile(
    rf"(?:{_CARD})(?:号码|号|卡)*(?: [Nn]umber| [Nn]o\.?)?[ :#是为]*"
    r"([A-Za-z]{1,2}[0-9]{7,8}|[0-9](?:[ -]?[0-9]){13,17}[Xx]?)(?![0-9A-Za-z])"
)

_PHONE = "电话|手机|座机|固话|联系方式|[Tt]el|TEL|[Pp]hone|PHONE|[Cc]ell|[Mm]obile|[Cc]all|CALL|[Tt]ext|[Ff]ax|FAX"
PHONE_CLUE = (
    f"[1１][^0-9A-Za-z]{{0,3}}[3-9３-９](?:{_NEXT}){{9}}|[0０][0０][8８][6６](?:{_NEXT}){{9}}|[+＋](?:{_NEXT}){{9}}"
    f"|[0０](?:[1１][0０]|[2２]{_DIGIT}|[3-9３-９][1-9１-９]{_DIGIT})[^0-9A-Za-z０-９:：]{{0,4}}[2-8２-８](?:{_NEXT}){{6}}"
    f"|[48４８][0０][0０](?:{_NEXT}){{7}}|[2-9２-９]{_DIGIT}{{2}}[^0-9A-Za-z０-９:：]{{1,3}}{_DIGIT}{{3}}[^0-9A-Za-z:：]{_DIGIT}{{4}}"
    f"|(?:{_PHONE})[^0-9０-９]{{0,20}}{_DIGIT}(?:{_NEXT}){{6}}"
)
_EXTENSION = r"(?:(?:转| ?-| ?(?:ext|x)\.? ?)[0-9]{1,6})?"
# Of the mainland, in one piece or as 3-4-4, 3-3-5, 4-3-4, 5-3-3 or digit by digit.
_MOBILE = (
    rf"(?:(?:\+|00)?86{_GAP})?0?1(?:[3-9][0-9]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}"
    rf"|[3-9][0-9]{_GAP}[0-9]{{3}}{_GAP}[0-9]{{5}}|[3-9][0-9]{{2}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}"
    rf"|[3-9][0-9]{{3}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{3}}|[ -][3-9](?:[ -][0-9]){{9}})"
)
# Area code and 7 or 8 digits; behind `#` stands the number of a thing.
_LANDLINE = (
    rf"(?<!#)(?<!# )(?:(?:\+|00)86{_GAP}\(?0?|\(?0)(?:10|2[0-9]|[3-9][1-9][0-9])\)?{_GAP}"
    rf"[2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}{_EXTENSION}"
)
_SERVICE = (
    r"(?<!#)(?<!# )[48]00(?:[0-9]{7}|[ -][0-9]{3}[ -]?[0-9]{4}|[0-9][ -][0-9]{3}[ -]?[0-9]{3}|-[0-9]-[0-9]{6})"
)
# Ten digits in one piece are as often a permit or a bin, and count only after a word.
_AMERICA = (
    rf"(?<![0-9][-./])(?:\+?1[ .-]?)?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[ ./-])"
    rf"[2-9][0-9]{{2}}[ .-][0-9]{{4}}(?!-[0-9]){_EXTENSION}"
)
_ABROAD = r"(?<![A-Za-z])\+[1-9](?:[ ()-]{0,2}[0-9]){8,14}"
# What a number counts or measures behind it makes it an amount.
_END = r"(?![0-9])(?! ?(?:元|万|亿|千|米|吨|平|块钱|dollars))"
_PHONES = re.compile(rf"{_START}(?=[0-9+(])(?:{_MOBILE}|{_LANDLINE}|{_SERVICE}|{_AMERICA}|{_ABROAD}){_END}")
_NAMED_PHONE = re.compile(
    rf"(?:{_PHONE})(?:ephone)?(?:号码|号|是|为| [Nn]umber| no\b| at\b| me\b|[ :#.@])*"
    r"(?!(?:19|20)[0-9]{2}(?:-[0-9]{1,2}-[0-9]{1,2}|[01][0-9][0-3][0-9])(?![0-9]))"
    rf"(\(?[0-9](?:\)?[ -]?[0-9]){{6,11}}){_END}"
)

_PLATE_WORD = "车牌|车号|[Pp]late|PLATE"
PLATE_CLUE = f"[{_HAN_PROVINCES}][ \u3000]?[A-Za-zＡ-Ｚａ-ｚ]|{_PLATE_WORD}"
_PLATE = re.compile(
    rf"[{_HAN_PROVINCES}] ?[A-Za-z][ .·-]?"
    r"[A-HJ-NP-Za-hj-np-z0-9]{4}(?:[挂学警港澳试超领]|[A-HJ-NP-Za-hj-np-z0-9]{1,2})(?![A-Za-z0-9])"
)
_NAMED_PLATE = re.compile(
    rf"(?:{_PLATE_WORD})[sS]?(?:号码|号| [Nn]umber| no\b| is\b|[ :#.是为])*"
    r"([A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,6})(?![A-Za-z0-9])"
)
_LICENCE = re.compile(r"(?i:licen[cs]e|registration) $")

EMAIL_CLUE = "[@＠]"
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")

ACCOUNT_CLUE = "微信|[Ww]e[Cc]hat|[Ww]eixin|[VvWw][Xx]|[Qq][Qq]"
_ACCOUNT = re.compile(
    r"(?:微信|[Ww]e[Cc]hat|[Ww]eixin|[VvWw][Xx])(?:号| ?[Ii][Dd]| *[:是为])[ :是为]*"
    r"([A-Za-z0-9][A-Za-z0-9_-]{4,19})(?![A-Za-z0-9_@-])"
    r"|[Qq][Qq](?:号码|号|群号|群|[ :是为])*([1-9][0-9]{4,11})(?![A-Za-z0-9_@])"
)


def birth(number: str) -> date | None:
    """Day of birth that an ID card number tells; None where it is no such number.

    number : 18 characters by GB 11643 (region, day of birth, order, ISO 7064 mod 11-2 check character) or the 15
        digits of before 1999, which have no check. Years are 1900 to 2099.
    """
    if number[:2] not in _PROVINCES:
        return None
    if len(number) == len(_WEIGHTS) + 1:
        day = number[6:14]
        total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
        if day[:2] not in {"19", "20"} or "10X98765432"[total % 11] != number[-1].upper():
            return None
    else:
        day = "19" + number[6:12]
    try:
        return date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return None


def is_mobile(digits: str) -> bool:
    """Whether digits in one piece are the number of a mobile of the mainland."""
    return bool(re.fullmatch(_MOBILE, digits))


def cards(text: str) -> Spans:
    """Numbers of ID cards, and any number that the text itself calls one."""
    for pattern in _CARDS:
        for found in pattern.finditer(text):
            if birth(re.sub(r"[ -]", "", found[1])):
                yield found.span(1)
    for found in _NAMED_CARD.finditer(text):
        yield found.span(1)


def phones(text: str) -> Spans:
    """Telephone numbers, and 7 to 12 digits that the text calls one."""
    for found in _PHONES.finditer(text):
        yield found.span()
    for found in _NAMED_PHONE.finditer(text):
        yield found.span(1)


def plates(text: str) -> Spans:
    """Plates of the mainland (GA 36: at most two letters in the serial); others only after a word for plate."""
    for found in _PLATE.finditer(text):
        if sum(sign.isdigit() for sign in found[0]) >= 3:  # noqa: PLR2004
            yield found.span()
    for found in _NAMED_PLATE.finditer(text):
        plate = found[1]
        sure = found[0][0] == "车" or _LICENCE.search(text[max(0, found.start() - 15) : found.start()])
        mixed = len(plate) >= 5 and any(sign.isalpha() for sign in plate)  # noqa: PLR2004
        if any(sign.isdigit() for sign in plate) and (sure or mixed):
            yield found.span(1)


def emails(text: str) -> Spans:
    """E-mail addresses."""
    for found in _EMAIL.finditer(text):
        yield found.span()


def accounts(text: str) -> Spans:
    """WeChat and QQ accounts after the word."""
    for found in _ACCOUNT.finditer(text):
        yield found.span(found.lastindex or 0)
