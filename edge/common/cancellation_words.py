"""The words by which people and programs call a lesson off in the four languages, as patterns.

Without accents and in small letters, as the texts that they are compared with.
"""

from __future__ import annotations

import re

CANCELLATION = (
    r"cancell?ed|called off|postponed(?! from)"
    r"|abgesagt\w{0,2}|ausgefallen|entfallen|entf|gestrichen|storniert|verschoben(?! vo[mn])"
    r"|annulee?s?|supprimee?s?|reportee?s?(?! d[eu])"
    r"|cancelad[oa]s?|anulad[oa]s?|suspendid[oa]s?|aplazad[oa]s?(?! del?)|pospuest[oa]s?(?! del?)"
)
"""Participles; without accents, as all that follows."""

VERB = r"entf(?:a|ae)llt(?!(?: doch)? nicht\b)|f(?:(?:a|ae)llt(?: (?!nicht\b)\w+){0,3}|\.) aus"
SENTENCE = (
    r"(?:not|no longer) taking place|(?:does not|doesn't|will not|won't) take place|is off"
    rf"|{VERB}|findet nicht statt"
    r"|n'?a(?:ura)? pas lieu|se (?:cancela|anula|suspende|aplaza)|no se (?:imparte|da)"
)
"""Verbs that say it of what stands before them."""

SCHOOL_OFF = (
    r"no school|school(?: is)? (?:closed|cancell?ed)|snow day|schulausfall"
    r"|(?:heute )?(?:schul|hitze|kalte|schnee|sturm)frei(?:er tag)?(?: ab .*)?"
    r"|schule(?: ist| bleibt)? (?:geschlossen|zu)|schule fallt (?:\w+ )?aus"
    r"|pas d'ecole|ecole(?: est)? (?:fermee|annulee)|jour sans ecole|dia sin (?:clases|colegio)"
    r"|no hay (?:escuela|colegio|cole)|sin (?:escuela|colegio|cole)"
    r"|(?:escuela|colegio|centro)(?: esta)? cerrad[oa]"
)
LESSONS_OFF = (
    r"no (?:class|classes|lesson|lessons|teaching)|unterrichtsausfall"
    r"|(?:all )?(?:classes|lessons)(?: are)? (?:cancell?ed|suspended|off)"
    r"|(?:heute |morgen )?kein unterricht(?: heute)?|unterrichtsfrei(?:er tag)?"
    r"|alle (?:stunden|kurse) (?:entfallen|fallen aus)|(?:der )?unterricht (?:entfallt|fallt aus)"
    r"|pas (?:de|d') ?(?:cours|classes?|lecons?)|(?:tous les )?cours(?: sont)? (?:suspendu|annule"
    r"|supprime)s?|(?:no hay|sin) clases?|(?:todas las )?clases (?:suspendid|cancelad|anulad)as"
)
"""Of all lessons, or of those that stand beside it: `Mathe: kein Unterricht`."""

OFF_FOR_ALL = re.compile(rf"\b(?:{LESSONS_OFF})\b(?! (?:de|du|d'|of|for|fur|in|en|para) ?\w)")
"""`Pas de cours de latin` is of Latin alone."""

ABSENCE = (
    r"(?:m|mme|mlle)\.? (?:\S+ ){1,3}absente?"
    r"|prof(?:esseure?)?\.?(?:/pers\.?)? absente?|classe absente"
)
NOUN = (
    rf"{ABSENCE}|cancell?ation|{SCHOOL_OFF}|{LESSONS_OFF}"
    r"|absage|ausfall|entfall|stundenausfall|unterrichtsausfall|declined|abgelehnt|refusee?|rechazad[oa]"
    r"|annulation|suppression"
    r"|cancelacion|anulacion|suspension"
)
"""Count as a part of a title only: they are subjects of lessons, too (`Noise cancellation`)."""

LESSON = (
    r"(?:the |der |die |das |le |la |el |ce |l')?"
    r"(?:class|course|event|lesson|meeting|session"
    r"|kurs|schulstunde|stunde|termin|unterricht|veranstaltung"
    r"|cours|evenement|lecon|reunion|seance|clase|curso|evento|leccion|sesion)"
)
BE = (
    r"(?:is|has been|ist|wurde|wird|est|a ete|es|esta|queda|ha sido|fue|sera) "
    r"(?:today |heute |leider |hoy |aujourd'hui )?"
)
DETAIL = (
    r"(?:am|aufgrund|aujourd'hui|because|by|car|cause|ce|da|debido|del?|demain|due|for|from|heute"
    r"|hoy|jusqu'?au?|le|leider|morgen|on|owing|par|por|pour|since|this|today|tomorrow|until|vom"
    r"|bis|weil|wegen|wg|hasta|tonight)\b.*"
)
"""What may follow: when, or for what reason."""

WORD = rf"(?:{CANCELLATION}|{SENTENCE}|{NOUN})"
REASON = (
    r"(?:aufgrund|aujourd'hui|because|bis|cause|debido|demain|due|hasta|heute|hoy|leider|morgen|owing"
    r"|since|today|tomorrow|until|wegen|weil|wg)\b.*"
)
CALLS = re.compile(rf"\b(?:{LESSON} )?(?:{BE})?(?:{WORD})\b(?: {REASON})?")
CLASS = r"\d{1,2} ?[a-z]?|(?:klasse|class|year|grade|classe|clase|curso) \w+"
"""Of whom alone it is said; `School closed from 14:00` is for all."""
ANOTHER_DAY = (
    r"tomorrow|demain|manana|(?<!am )morgen|(?:on|next|am|kommenden|ce|le|el) (?:monday|tuesday"
    r"|wednesday|thursday|friday|montag|dienstag|mittwoch|donnerstag|freitag|lundi|mardi|mercredi"
    r"|jeudi|vendredi|lunes|martes|miercoles|jueves|viernes)"
)
OF_NO_LESSON = {
    *("m", "mme", "mlle", "prof", "professeur", "pers", "absent", "absente", "mr", "mrs", "miss"),
    *("ms", "ill", "sick", "teacher", "herr", "frau", "hr", "fr", "lehrer", "krank", "malade"),
    *("senor", "senora", "sr", "sra", "enfermo", "enferma", "profe", "bei", "der", "die", "das"),
    *("the", "le", "la", "les", "el", "los", "las", "de", "du", "des", "d", "l", "of", "von", "a"),
    *("and", "et", "und", "y", "e", "for", "fur", "pour", "para", "mit", "with", "in", "im", "am"),
    *("cours", "clase", "clases", "class", "classes", "kurs", "unterricht", "lesson", "lessons"),
    *("stunde", "stunden", "std", "lecon", "leccion", "klasse", "classe", "gruppe", "group"),
    *("groupe", "grupo", "heute", "today", "hoy", "nur", "only"),
}
"""Words beside a lesson's name that name none."""
WHICH = re.compile(
    r"\d{1,2}\.?(?:(?: ?[/+-] ?| und | and | et | y )\d{1,2}\.?)?"
    r" ?(?:schulstunden?|stunden?|std\.?|periods?|lessons?|heures?|horas?)\b"
    r"|\b(?:period|lesson|block|stunde|heure|hora) \d{1,2}\b"
)
"""Which lesson of the day, as its time says too: `1. Stunde`."""
INSTEAD = re.compile(
    r"\b(?:statt|anstelle? (?:von|des|der)?|anstatt|instead of|in place of|au lieu (?:de|d'|du)"
    r"|a la place (?:de|d'|du)|en (?:lugar|vez) de)\b.*"
)
"""What a lesson replaces is not what it is."""
HOLIDAY = re.compile(
    r"(?:\w*ferien|\w*feiertag|(?:school |public |bank |national )?holidays?"
    r"|half[ -]term(?: break)?|(?:staff|teacher) (?:training|development)(?: day)?"
    r"|(?:spring|summer|autumn|fall|winter|easter|christmas|term|mid-?term) (?:break|holidays?)"
    r"|inset(?: day)?|ferienbeginn"
    r"|(?:grandes |petites )?vacances(?: (?:scolaires|d[eu].*|d'.*))?|jours? ferie"
    r"|vacaciones(?: (?:escolares|de .*))?|(?:dia )?festivo|fiesta nacional|puente(?: de .*)?)"
)
"""A part of the title of an event of whole days; in an hour's it is what the lesson is about."""
WHOLE = re.compile(
    rf"(?:{LESSON} )?(?:{BE})?{WORD}(?: {LESSON})?(?: {DETAIL})?|{LESSON} {BE}{WORD}.*"
)
"""A part of a title that says nothing else."""

LAST = re.compile(rf"(?P<before>.*\S)[ -](?:{CANCELLATION}|{SENTENCE})(?: {DETAIL})?")
FIRST = re.compile(
    r"cancell?ed|abgesagt|ausgefallen|entfallen|entfallt|gestrichen|annulee?|cancelad[oa]|anulad[oa]"
)
"""Before the name of what does not take place; `Abgesagte Konzerte` are a subject."""

ANYWHERE = re.compile(
    rf"\b(?:(?:{VERB})\b|(?<!pas de ){LESSON} (?:{BE})?(?:{CANCELLATION})\b)|[❌✖🚫⛔]"
)
MOVE_WORD = r"moved|verlegt|deplacee?s?|desplazad[oa]s?"
MOVE = re.compile(rf"(?:{LESSON} )?(?:{BE})?(?:{MOVE_WORD})|\S+(?: \S+)?(?: {BE}| )(?:{MOVE_WORD})")
"""To another time, as long as nothing says where to: `Mathe verlegt`."""

NONE_OF = re.compile(
    r"(?:(?:heute|morgen|today|tomorrow|hoy|aujourd'hui) )?"
    r"(?:keine?n?|no|sin|no hay|pas (?:de |d')(?!deux\b|trois\b|quatre\b|calais\b))"
    r" ?(?P<name>(?!hay\b)[^\W\d_]{2,}(?: (?:class|classes|lessons?|unterricht|stunde))?)"
    r"(?: (?:heute|today|hoy|aujourd'hui|morgen|tomorrow|\d{1,2} ?[a-z]|leider))*"
)
"""`Kein Mathe`, `No maths today`: of one lesson, by its name."""

LOSS = r"(?:stunden|unterrichts)?ausfall|entfall"
AROUND = re.compile(
    rf"(?:{LOSS}) (?!de[rsmn] |von |im |am )\S+(?: \S+)?|\S+(?: \S+)? (?:{LOSS})"
    rf"|(?:{ABSENCE}) \S+(?: \S+)?|se (?:cancela|anula|suspende|aplaza)n? (?:\S+ ?){{1,4}}"
)
"""`Ausfall Mathe 7b`, `Mathe Ausfall`, `Se cancela lengua`: nothing but a name beside it."""
NOT_OF_A_LESSON = {
    *("was", "were", "be", "being", "get", "gets", "got", "not", "never", "why", "who", "what"),
    *("and", "or", "nicht", "nie", "und", "oder", "warum", "non", "pas", "jamais", "et", "ou"),
    *("no", "nunca", "y", "o", "by", "of", "that", "which"),
    *("longer", "formerly", "previously", "mehr", "plus", "ya"),
}
"""Before the last word these make it part of a tale, or its opposite."""

NAMES = re.compile(r"(?:status|statut|estado|etat)\s*:\s*(.*)")

PREFIX = re.compile(r"\A\s*(?:(?:fwd?|wg|aw|re|tr|rv|rif|i)\s*:\s*)+", re.IGNORECASE)
"""Of mails that were answered or passed on."""

PARTS = re.compile(r"[()\[\]{}<>|:!*~=#•·…;,_\"“”„«»\\\n\u2010-\u2015]+|\s/\s|\s-+\s*|-+\s|^-+|-+$")
"""What stands between the parts of a title; a hyphen within a word does not."""


TENTATIVE = re.compile(
    r"tentative|provisional|tbc|to be confirmed|unter vorbehalt|vorlaufig|unbestatigt|noch offen"
    r"|provisoire|a confirmer|sous reserve|por confirmar|tentativ[oa]"
)
