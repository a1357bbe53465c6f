"""Whether a changed text still says the same: what a minor pass may change (ours; the paper states no rule).

Pure. Careful rather than kind: a changed negation, number, dose, drug, comparison, side or direction is
never wording, and neither is a text of which less than half is left.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from difflib import SequenceMatcher

LEAST_LEFT = 0.5
"""Share of words in common (Ratcliff/Obershelp) below which a text counts as a new statement."""

TOKEN = re.compile(r"\d+(?:[.,/:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[%<>≤≥=±°]")
NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty "
    "sixty ninety hundred thousand half third quarter once twice thrice double triple single first second "
    "daily weekly monthly hourly nightly".split()
)
NEGATIONS = frozenset(
    "no not never without none neither nor cannot can't don't doesn't won't shouldn't mustn't isn't aren't "
    "wasn't avoid avoids avoiding fail fails failing omit omits omitting lack lacks refuse refuses decline "
    "declines deny denies unless except only instead contraindicated".split()
)
UNITS = frozenset(
    "mg g kg mcg µg μg ug ng ml l dl cl mmol mol iu u units unit tablet tablets capsule capsules drop drops "
    "puff puffs spray sprays dose doses minute minutes min hour hours h day days week weeks month months year "
    "years s sec seconds bpm mmhg cm mm c f percent celsius fahrenheit % °".split()
)
DIRECTIONS = frozenset(
    "left right before after above below over under more less most least fewer high higher low lower increase "
    "increases increased decrease decreases decreased raise raises reduce reduces start starts stop stops "
    "continue discontinue early late always sometimes must may should might all any some emergency urgent "
    "urgently routine immediately now later minimum maximum adult adults child children infant infants "
    "pregnant < > ≤ ≥ = ±".split()
)
DRUGS = frozenset(
    "aspirin paracetamol acetaminophen ibuprofen naproxen diclofenac morphine codeine tramadol fentanyl "
    "oxycodone naloxone heparin enoxaparin warfarin insulin metformin levothyroxine prednisone prednisolone "
    "hydrocortisone dexamethasone salbutamol albuterol adrenaline epinephrine atropine digoxin furosemide "
    "spironolactone nitroglycerin nitrate nitrates sildenafil lithium valproate carbamazepine lamotrigine "
    "phenytoin levetiracetam methotrexate colchicine allopurinol misoprostol mifepristone methadone "
    "buprenorphine clozapine haloperidol ondansetron metoclopramide loperamide vancomycin gentamicin "
    "amoxicillin doxycycline metronidazole nitrofurantoin trimethoprim penicillin aciclovir acyclovir "
    "oseltamivir isotretinoin tretinoin tamoxifen finasteride magnesium potassium iron calcium zinc folate "
    "alcohol vaccine antibiotic antibiotics steroid steroids nsaid nsaids opioid opioids".split()
)
DRUG_ENDINGS = re.compile(
    r"\w{2,}(?:olol|pril|prils|sartan|statin|statins|mycin|cillin|cycline|floxacin|azole|prazole|tidine|dipine|gliptin|"
    r"gliflozin|glutide|xaban|gatran|parin|mab|nib|vir|zepam|zolam|azepam|triptan|setron|caine|barbital|oxetine|"
    r"aline|pramine|triptyline|thiazide|semide|dronate|terol|sone|solone|profen|fenac|coxib|formin|zide|idone|apine)$"
)


def is_wording(old: str, new: str) -> bool:
    """Whether `new` says what `old` says in other words."""
    before, after = _tokens(old), _tokens(new)
    if Counter(filter(_weighty, before)) != Counter(filter(_weighty, after)):
        return False
    return SequenceMatcher(None, before, after, autojunk=False).ratio() >= LEAST_LEFT


def _tokens(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return TOKEN.findall(folded)


def _weighty(token: str) -> bool:
    """A token that carries a negation, number, dose, drug, comparison, side or direction."""
    return (
        token[0].isdigit()
        or token.endswith("n't")
        or token in _WEIGHTY
        or DRUG_ENDINGS.fullmatch(token) is not None
    )


_WEIGHTY = NUMBER_WORDS | NEGATIONS | UNITS | DIRECTIONS | DRUGS
