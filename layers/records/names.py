"""Names of persons that a text marks as such: before or after a title, or after a word like `联系人` or `name:`.

A name that nothing marks is left: `张伟` alone may be anybody's shop. What a place is called stays too, by three
rules. A title that a word for a business or a place follows belongs to it (`王先生餐厅`, `Dr Luther King Blvd`).
`Dr` behind a capital or a number is a drive (`12 Lakeshore Dr Toronto`). A name never runs over a word for a place
(`张江路王先生` names `王`, `投诉人李家村村民` nobody). Finders and clues are as in `identifiers`.
"""

import re
from collections.abc import Iterator

from layers.records.surnames import COMMON, COMPOUND, EVERYDAY, WORDS

Spans = Iterator[tuple[int, int]]

_HAN = r"[\u4e00-\u9fff]"
_SURNAME = f"(?:{'|'.join(sorted(COMPOUND))}|[{''.join(sorted(COMMON | EVERYDAY))}])"
# Signs that no given name has, then those that may follow a name but are found in some, as in 王为民 and 李有才.
_NEVER = "的了是在我你您他她它们这那就都还到和与或被把因所个次位叫诉称说打给去请找问没不很每某已但且需要该"
_SMALL = _NEVER + "让从以及名有也又再将其为于向对由并而正来望反则会无"
_OFFICES = "店厂局区县镇乡州室院站号层部社委处"
_PLACES = "路村街巷桥屋楼庄寨围"
_PLAIN = rf"(?![{_NEVER}{_OFFICES}{_PLACES}]){_HAN}"
_GIVEN = rf"(?:{_PLAIN})?(?![{_NEVER}{_OFFICES}]){_HAN}"
_NAME = re.compile(f"{_SURNAME}(?:{_GIVEN})?")

_PERSONAL = "先生|女士|小姐|太太|夫人"
_BUSINESS = (
    "的?(?:餐厅|餐馆|饭店|饭馆|酒店|酒楼|酒家|超市|商店|小店|面馆|粉店|公司|大厦|小区|广场|工业园"
    "|路|街|巷|桥|[前后]?村|镇|屯|庙|寨)"
)
_OTHERS = (
    "同志|老师|师傅|阿姨|大爷|大妈|大叔|大姐|大哥|大嫂|大娘|叔叔|奶奶|爷爷|伯伯|婆婆|老板|医生|护士|警官|"
    "律师|经理|主任|书记|队长|村长|校长|所长|科长|站长"
)
_TITLE = re.compile(f"(?:({_PERSONAL})|{_OTHERS})(?!{_BUSINESS})")
# What stands before a name and is not the first half of another word.
_JOINTS = frozenset("的由是找请和与跟对向叫给被让问称为及名位者")

_VERBS = "反映|来电|投诉|举报|电话|手机|联系|要求|表示|报警|报案|咨询|求助|身份证|住址|家住|称|说"
_SURE = "姓名|联系人|我叫|名叫"
_ROLES = (
    "报案人|报警人|投诉人|举报人|来电人|反映人|诉求人|求助人|申请人|当事人|负责人|法定代表人|经办人|目击者|"
    "户主|业主|房东|车主|租客|租户|住户|死者|伤者|患者|嫌疑人|驾驶员|司机|网格员|民警|保安|我是|本人"
)
_MARKED = re.compile(rf"(?:(?P<sure>{_SURE})|{_ROLES})(?:姓名)?[是为叫]?(?P<mark> ?: ?| )?")
_DOTTED = re.compile(rf"{_HAN}{{1,8}}(?:·{_HAN}{{1,8}}){{1,3}}")
_ENDED = re.compile(rf"{_SURNAME}{_GIVEN}(?=(?P<verb>{_VERBS}|\(|[0-9])|[{_SMALL}]|(?!{_HAN}))")
_OPEN = re.compile(rf"{_SURNAME}(?:{_PLAIN}){{1,2}}+(?![{_PLACES}{_OFFICES}])")

_WORD = r"[A-Z][a-zA-Z\u00c0-\u024f'’-]*[a-zA-Z\u00c0-\u024f]"
_ROAD = "Blvd|Boulevard|Dr|Drive|St|Street|Ave|Avenue|Rd|Road|Park|School|Library|Square|Bridge|Hall|Cent(?:er|re)"
_ENGLISH = rf"{_WORD}(?: [A-Z]\.?(?= ))?(?: {_WORD}){{0,2}}"
_MISTER = re.compile(
    r"(?<![A-Za-z])(?:(?:(?P<doctor>Dr|DR)|Mr|MR|Mrs|MRS|Ms|Miss|Mx|Prof)(?:\. ?| {1,2})|MS\. ?)"
    rf"(?!(?:[A-Z][\w.'-]* ){{1,4}}(?:{_ROAD})\b)(?P<name>{_ENGLISH})"
    r"|(?<![A-Za-z])mrs?(?:\. ?| )(?P<small>[A-Za-z][a-z'-]+)"
)
_ENGLISH_MARK = re.compile(r"(?i:mrs?|ms|miss|mx|dr|prof|name)\.?")
_STREET_BEFORE = re.compile(r"(?:[A-Z][\w.'-]*|[0-9]+(?:st|nd|rd|th)?) +$")
_CALLED = re.compile(
    r"(?<![A-Za-z])(?i:(?:full |first |last |my |caller |customer |contact )?name(?: is|:| -)|caller:"
    rf"|complainant:?|contact(?: person)?:|reported by:?) ?(?P<name>{_ENGLISH})"
)
_THING_BEFORE = re.compile(
    r"(?i:street|road|park|business|company|school|place|site|project|store|building|file|user) $"
)
_OFFICE = re.compile(
    r"\b(?i:police|dept|department|public|works|city|authority|office|officer|staff|park|school|street|avenue|road"
    r"|housing|inspector|services?|division|center|hall|operations|transit|fire|unknown|anonymous|resident|district"
    r"|inc|llc|company)\b"
)

TITLE_CLUE = f"{_PERSONAL}|{_OTHERS}"
MARK_CLUE = f"{_SURE}|{_ROLES}"
ENGLISH_CLUE = (
    "M[rRsS][. ]|M[rR][sS][. ]|Miss |Mx[. ]|mrs?[. ]|D[rR][. ]|Prof[. ]|[Nn]ame(?: is|:| -)|NAME:"
    "|[Cc]aller:|CALLER:|[Cc]omplainant|[Cc]ontact(?: person)?:|[Rr]eported by|REPORTED BY"
)


def titled(text: str) -> Spans:
    """Chinese names before a title."""
    for title in _TITLE.finditer(text):
        end = title.start()
        for start in range(max(0, end - 4), end):
            if _NAME.fullmatch(text, start, end) and _believed(text, start, end, personal=title[1] is not None):
                yield start, end
                break


def _believed(text: str, start: int, end: int, *, personal: bool) -> bool:
    """Whether what could be a name before a title is one, and not the end of another word."""
    if _worded(text, max(0, start - 1), end):
        return False
    if _common(text, start):
        return True
    if any(sign in COMMON for sign in text[start + 1 : end]):
        return False
    before = text[max(0, start - 1) : start]
    return personal or end - start > 1 or not re.match(_HAN, before) or before in _JOINTS


def marked(text: str) -> Spans:
    """Chinese names after a word that announces one.

    Without a colon a surname that is an everyday word as well needs a verb of speaking, a bracket or a number
    behind the name; so `业主方便时` names nobody.
    """
    for word in _MARKED.finditer(text):
        start, asked = word.end(), ":" in (word["mark"] or "")
        ended = (asked and _DOTTED.match(text, start)) or _ENDED.match(text, start)
        found = ended or _OPEN.match(text, start)
        if not found:
            continue
        if asked and ended:
            yield found.span()
        elif not _worded(text, start, found.end()):
            spoken = bool(ended and ended["verb"])
            sure = spoken or (ended and word["sure"]) or _common(text, start)
            if sure and (spoken or found[0][-1] not in _PLACES):
                yield found.span()


def _common(text: str, start: int) -> bool:
    return text[start] in COMMON or text[start : start + 2] in COMPOUND


def _worded(text: str, start: int, end: int) -> bool:
    return any(text[at : at + 2] in WORDS for at in range(start, end - 1))


def english(text: str) -> Spans:
    """English names after a title, or after a word that announces one."""
    for found in _MISTER.finditer(text):
        if not (found["doctor"] and _STREET_BEFORE.search(text[max(0, found.start() - 40) : found.start()])):
            yield found.span("name" if found["name"] else "small")
    for found in _CALLED.finditer(text):
        before = text[max(0, found.start() - 10) : found.start()]
        if not _THING_BEFORE.search(before) and not _OFFICE.search(found["name"]):
            yield found.span("name")


def is_mark(text: str) -> bool:
    """Whether a text is a title, or a word that announces a name, and nothing else."""
    return any(pattern.fullmatch(text) for pattern in (_TITLE, _MARKED, _ENGLISH_MARK))
