"""The words by which people and programs call a lesson off in the four languages, as patterns.

Without accents and in small letters, as the texts that they are compared with.
"""

from __future__ import annotations

import re

ODD = r"[^\w\s]{1,3}"
"""What is left of a letter that was written in one encoding and read in another."""

CANCELLATION = (
    r"cancell?ed|called[ -]off|(?:postponed|deferred)(?! from)|suspended|scrapped"
    r"|abgesagt\w{0,2}|ausgefallen|entfallen|entf|ausf|ausgef|abge?s|erkrankt|gecancell?t|cxld?|canx|gestrichen|storniert"
    r"|verschoben(?! vo[mn])"
    rf"|annul(?:e|{ODD})e?s?|supprimee?s?|suspendue?s?|reportee?s?(?! d[eu])|non assuree?s?"
    r"|cancelad[oa]s?|anulad[oa]s?|suspendid[oa]s?|aplazad[oa]s?(?! del?)|pospuest[oa]s?(?! del?)"
)
"""Participles; without accents, as all that follows."""

VERB = (
    rf"entf(?:ae?|{ODD})llt(?!(?: \w+)? nicht\b)"
    rf"|f(?:(?:ae?|{ODD})llt(?: (?!nicht\b)\w+){{0,6}}|\.) (?:aus|weg|flach)"
    r"|findet(?: \w+){0,4} nicht(?: mehr)? statt|(?:wird|kann)(?: \w+){0,3} nicht stattfinden"
    r"|muss(?:te)?(?: (?!nicht\b)\w+){0,3} (?:ausfallen|entfallen|abgesagt werden)"
)
SENTENCE = (
    r"(?:not|no longer) taking place|(?:does not|doesn't|will not|won't|cannot|can't) take place"
    rf"|is off|{VERB}|f\. ?a\.?|(?:will )?not (?:be )?held|won't be held"
    r"|(?:is not|isn't) (?:on|held|happening|taking place)"
    r"|n'?a(?:ura)? pas lieu|se (?:cancela|anula|suspende|aplaza)|no se (?:imparte|da)"
    r"|no (?:tiene|tendra) lugar|(?:hat|haben) (?:heute |schul)?frei"
    r"|(?:has|have) no (?:school|class(?:es)?|lessons)|n'(?:a|ont) pas (?:cours|classe)"
    r"|(?:hat|haben) (?:heute )?kein(?:e schule|en unterricht)|no tienen? clases?"
)
"""Verbs that say it of what stands before them."""

SCHOOL_OFF = (
    r"no school|keine schule|school(?: is)? (?:closed|cancell?ed)|snow day|schulausfall"
    r"|(?:schools?|college|campus|academy)(?: is| are)? closed|kein schulbetrieb"
    r"|(?:heute )?(?:schul|hitze|kalte|schnee|sturm)frei(?:er tag)?(?: ab .*)?"
    r"|schule(?: ist| bleibt)? (?:geschlossen|zu)|schule fallt (?:\w+ )?aus"
    r"|pas d'ecole|(?:ecole|lycee|college)(?: est)? (?:fermee?|annulee)|jour sans ecole"
    r"|dia sin (?:clases|colegio)"
    r"|no hay (?:escuela|colegio|cole)|sin (?:escuela|colegio|cole)"
    r"|(?:escuela|colegio|centro)(?: esta)? cerrad[oa]"
)
LESSONS_OFF = (
    r"no (?:class|classes|lesson|lessons|teaching)|unterrichtsausfall"
    r"|(?:all )?(?:classes|lessons)(?: are)? (?:cancell?ed|suspended|off)"
    r"|(?:heute )?(?:morgen )?kein unterricht(?: heute)?|unterrichtsfrei(?:er tag)?"
    r"|alle (?:stunden|kurse) (?:entfallen|fallen aus)|(?:der )?unterricht (?:entfallt|fallt aus)"
    r"|pas cours|pas (?:de|d') ?(?:cours|classes?|lecons?)"
    r"|(?:tous les )?cours(?: sont)? (?:suspendu|annule|supprime)s?|(?:no hay|no habra|sin) clases?"
    r"|(?:todas las )?clases (?:suspendid|cancelad|anulad)as"
)
"""Of all lessons, or of those that stand beside it: `Mathe: kein Unterricht`."""

OFF_FOR_ALL = re.compile(rf"\b(?:{LESSONS_OFF})\b(?! (?:de|du|d'|of|for|fur|in|en|para) ?\w)")
"""`Pas de cours de latin` is of Latin alone."""

ABSENCE = (
    r"(?:m|mme|mlle)\.? (?:\S+ ){1,3}absente?"
    r"|prof(?:esseure?)?\.?(?:/pers\.?)? absente?|classe absente|enseignante? absente?"
    r"|(?:frau|herrn?|fr|hr|mrs?|ms|miss|mme|senora?|sra?)\.? \S+(?: is| ist| est| esta)?"
    r" (?:absente?|away|ill|sick|krank|abwesend|malade|ausente|enferm[oa])"
    r"|(?:teacher|lehrer(?:in)?|lehrkraft|prof(?:esor[a]?)?|profe)(?: is| ist| est| esta)?"
    r" (?:absent|away|ill|sick|krank|abwesend|malade|ausente|enferm[oa])|lehrer(?:in)? fehlt"
    r"|absence d[eu] \S+(?: \S+)?"
)
AWAY = (
    r"klassenfahrt|klassenausflug|kursfahrt|studienfahrt|abschlussfahrt|schullandheim|wandertag"
    r"|exkursion|skilager|betriebspraktikum|(?:school|class|field) (?:trip|outing)|excursion"
    r"|(?:sortie|voyage) (?:scolaire|pedagogique)|classe (?:verte|de neige|de mer)"
    r"|(?:viaje|salida) (?:escolar|de estudios|fin de curso)"
)
"""Where a class is, and not in its room."""
NOUN = (
    rf"{ABSENCE}|{AWAY}|cancell?ation|{SCHOOL_OFF}|{LESSONS_OFF}"
    r"|cancel|canc|cncl|storno|rescheduled(?! from)|removed|deleted|geloscht|verlegung|verschiebung"
    r"|closed|geschlossen|ferme|cerrado|frei|free|libre|unavailable|out of order"
    r"|krank|krankgemeldet|sick|malade|enferm[oa]"
    r"|raum(?:anderung|wechsel|tausch|verlegung)|room change|changement de salle|cambio de aula"
    r"|freistunde|free period|heure libre|hora libre"
    r"|(?:raum|room|salle|aula|sala)(?: \S+)?(?: is| ist)? (?:gesperrt|closed|unavailable"
    r"|fermee?|cerrad[oa])"
    r"|\S+ gesperrt"
    r"|absage|ausfall|entfall|stundenausfall|unterrichtsausfall|declined|abgelehnt|refusee?|rechazad[oa]"
    r"|annulation|suppression"
    r"|cancelacion|anulacion|suspension"
)
"""Count as a part of a title only: they are subjects of lessons, too (`Noise cancellation`)."""

LESSON = (
    r"(?:(?:the|this|der|die|das|diese[rs]?|le|la|el|cet?|cette|est[ae]) |l')?"
    r"(?:class|course|event|lesson|meeting|session"
    r"|kurs|schulstunde|stunde|termin|unterricht|veranstaltung"
    r"|cours|evenement|lecon|reunion|seance|clase|curso|evento|leccion|sesion)"
)
BE = (
    r"(?:is|has been|ist|wurde|wird|est|a ete|es|esta|queda|ha sido|se ha|fue|sera) "
    r"(?:today |heute |leider |hoy |aujourd'hui )?"
)
DETAIL = (
    r"(?:am|aufgrund|aujourd'hui|because|by|car|cause|ce|da|debido|del?|demain|due|for|from|heute"
    r"|hoy|jusqu'?au?|le|leider|morgen|on|owing|par|por|pour|since|this|through|till|today|tomorrow|until|vom"
    r"|bis|weil|wegen|wg|hasta|tonight|esta (?:manana|tarde|semana)"
    r"|(?:el )?(?:monday|tuesday|wednesday|thursday|friday|lunes|martes|miercoles|jueves|viernes)"
    r")\b.*"
)
"""What may follow: when, or for what reason."""

LOSS = r"(?:stunden|unterrichts)?ausfall|entfall"
WORD = rf"(?:{CANCELLATION}|{SENTENCE}|{NOUN})"
REASON = (
    r"(?:aufgrund|aujourd'hui|because|bis|cause|debido|demain|due|hasta|heute|hoy|leider|morgen|owing"
    r"|since|today|tomorrow|until|wegen|weil|wg)\b.*"
)
CALLS = re.compile(rf"\b(?:{LESSON} )?(?:{BE})?(?:{WORD})\b(?: {REASON})?")
CLASS_WORD = (
    r"klassen?(?:stufen?)?|class|years?|y|grades?|classe|clase|curso|grado|niveau"
    r"|(?:jahrgangs|klassen|ober|unter|mittel)?stufen?|jahrg(?:ang|ange)|jgst|jg|kl|gruppen?|groupe"
)
CLASS = (
    r"\d{1,2}(?:eme|[oe])(?! (?:de|mai)\b)(?: (?:eso|bach\w*|grado|curso|[a-h])\b)*"
    r"|\d{1,2}(?!h|o de\b)[a-z]|\d{1,2} (?=[b-g]\b)[a-z]"
    r"|\d{1,2}\.? (?:klassen?|jahrgang|schuljahr|grade|curso|grado|eso)"
    rf"|(?:{CLASS_WORD})\.? ?\d{{1,2}}(?!\d)\w*"
    r"(?: ?(?:-|bis|to|a|und|and|et|y) ?\d{1,2}(?!\d)\w*)*"
)
"""Of whom alone it is said; `School closed from 14:00` is for all."""
OF_A_CLASS = re.compile(
    rf"(?:\b(?:fur|for|pour|para|bei|of|der|die|das|den|la|le|les|el|los|las)\s)*"
    rf"\b(?:{CLASS})\b(?:\s?(?:/|-|\+|&|und|and|et|y)\s?(?:{CLASS})\b)*\s?:?"
)
RANGE = re.compile(
    rf"\b(?:{CLASS_WORD})\.? ?(?P<first>\d{{1,2}}) ?(?:-|bis|to|a) ?(?P<last>\d{{1,2}})\b"
)
"""`Klassen 5-7`, which are three."""
TOMORROW = (
    r"tomorrow|demain|(?<!esta )(?<!la )(?<!hoy )manana|(?<!am )(?<!heute )(?<!diesen )morgen"
)
WEEKDAYS = tuple(
    re.compile(rf"\b(?:on |next |am |kommenden |ce |le |el )?(?P<day>{names})\b")
    for names in (
        *("monday|montag|lundi|lunes", "tuesday|dienstag|mardi|martes"),
        *("wednesday|mittwoch|mercredi|miercoles", "thursday|donnerstag|jeudi|jueves"),
        *("friday|freitag|vendredi|viernes", "saturday|samstag|sonnabend|samedi|sabado"),
        "sunday|sonntag|dimanche|domingo",
    )
)
"""From Monday on."""
TARGET = re.compile(
    r"\b(?:auf|to|until|till|through|thru|bis(?: zum| einschliesslich| inklusive| inkl\.?)?|au?"
    r"|al|para|hasta|jusqu'(?:a|au)|see you|back|resumes?|restarts?|reprise|reprend|vuelta"
    r"|reanuda(?:cion)?|erster schultag|first day|letzter tag|last day|primer dia|premier jour)"
    r"(?: (?:next|den|dem|le|el|nachste[nr]?|on|de|zum))*"
    rf" (?:{TOMORROW}|{'|'.join(one.pattern for one in WEEKDAYS)})".replace("(?P<day>", "(?:")
)
"""Where something is moved to, or how long it lasts, is not the day that is meant."""
OF_NO_LESSON = {
    *("m", "mme", "mlle", "prof", "professeur", "pers", "absent", "absente", "mr", "mrs", "miss"),
    *("ms", "ill", "sick", "teacher", "herr", "frau", "hr", "fr", "lehrer", "krank", "malade"),
    *("senor", "senora", "sr", "sra", "enfermo", "enferma", "profe", "bei", "der", "die", "das"),
    *("the", "le", "la", "les", "el", "los", "las", "de", "du", "des", "d", "l", "of", "von", "a"),
    *("and", "et", "und", "y", "e", "for", "fur", "pour", "para", "mit", "with", "in", "im", "am"),
    *("cours", "clase", "clases", "class", "classes", "kurs", "unterricht", "lesson", "lessons"),
    *("stunde", "stunden", "std", "lecon", "leccion", "klasse", "classe", "gruppe", "group"),
    *("groupe", "grupo", "heute", "today", "hoy", "nur", "only", "esta", "ce", "this", "on"),
    *("en", "dans", "zu", "at", "klassen", "klassenstufe", "jahrgang", "jahrgange", "jg", "jgst"),
    *(
        "jahrgangsstufe",
        "stufe",
        "stufen",
        "kl",
        "year",
        "years",
        "grade",
        "grades",
        "curso",
        "grado",
    ),
    *("morgen", "morning", "matin", "manana", "tarde", "vormittag", "nachmittag", "afternoon"),
    *("monday", "tuesday", "wednesday", "thursday", "friday", "montag", "dienstag", "mittwoch"),
    *("donnerstag", "freitag", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "lunes"),
    *("martes", "miercoles", "jueves", "viernes"),
}
"""Words beside a lesson's name that name none."""
WHICH = re.compile(
    r"(?<!\w)\d{1,2}\.?(?:(?: ?[/+-] ?| und | and | et | y )\d{1,2}\.?)?"
    r" ?(?:schulstunden?|stunden?|std\.?|periods?|lessons?|heures?|horas?)\b"
    r"|\b(?:period|lesson|block|stunde|heure|hora) \d{1,2}\b"
)
"""Which lesson of the day, as its time says too: `1. Stunde`."""
INSTEAD = re.compile(
    r"\b(?:statt|anstelle? (?:von|des|der)?|anstatt|instead of|in place of|au lieu (?:de|d'|du)"
    r"|a la place (?:de|d'|du)|en (?:lugar|vez) de)\b.*"
)
"""What a lesson replaces is not what it is."""
WHOLE = re.compile(
    rf"(?:{SCHOOL_OFF}|{LESSONS_OFF}) (?:\d.*|(?:in|en|dans) \S+(?: \S+)?)"
    rf"|(?:{LESSON} )?(?:{BE})?{WORD}(?: {LESSON})?(?: {DETAIL})?|{LESSON} {BE}{WORD}.*"
)
"""A part of a title that says nothing else."""

CALL = re.compile(rf"(?:{LESSON} )?(?:{BE})?(?:{CANCELLATION}|{SENTENCE}|{LOSS})")
OF_PROGRAMS = re.compile("STATUS|STATE|CODE|CANCEL|SUBST|VERTRET|ENTFALL")
"""In the names of properties that programs add to say what became of a lesson."""

LAST = re.compile(rf"(?P<before>.*\S)[ -](?:{CANCELLATION}|{SENTENCE})(?: {DETAIL})?")
FIRST = re.compile(
    r"cancell?ed|abgesagt|ausgefallen|entfallen|entfallt|gestrichen|annulee?|cancelad[oa]|anulad[oa]"
    r"|entf\.?|canc\.?|cxl\.?"
)
"""Before the name of what does not take place; `Abgesagte Konzerte` are a subject."""

ANYWHERE = re.compile(
    rf"\b(?:(?:{VERB})\b|(?<!pas de ){LESSON} (?:{BE})?(?:{CANCELLATION})\b)"
    r"|[❌✖🚫⛔🛑✗✘❎🏠🤒]|~~.+~~|<(?:s|del|strike)\b[^<>]*>.+?</(?:s|del|strike)>"
)
MOVE_WORD = (
    r"moved(?! from)|verlegt(?! vo[mn])|deplacee?s?(?! d[eu]\b)"
    r"|(?:desplaz|traslad)ad[oa]s?(?! del?\b)"
)
MOVED = rf"{MOVE_WORD}|verschoben|reportee?s?|aplazad[oa]|postponed|rescheduled"
ELSEWHERE = r"(?:(?:auf|to|until|till|a|au|al|para|nach|in|en) \S.*|online)"
MOVE = re.compile(
    rf"(?:{LESSON} )?(?:{BE})?(?:{MOVE_WORD})|\S+(?: \S+)?(?: {BE}| )(?:{MOVE_WORD})"
    rf"|(?:\S+ ){{0,3}}(?:{BE})?(?:{MOVED}) {ELSEWHERE}"
    rf"|(?:\S+ ){{1,3}}{ELSEWHERE} (?:{MOVED})"
)
"""To another time or place: `Mathe verlegt`, `Maths moved to Friday`, `auf Freitag verschoben`."""

NONE_OF = re.compile(
    r"(?:(?:heute|morgen|today|tomorrow|hoy|aujourd'hui) )?"
    r"(?:(?:keine?n?|no|sin|no hay|pas de) |pas d')(?!deux\b|trois\b|quatre\b|calais\b)"
    r"(?P<name>(?!hay\b)[^\W\d_]{2,}(?: (?:class|classes|lessons?|unterricht|stunde))?)"
    r"(?: (?:heute|today|hoy|aujourd'hui|morgen|tomorrow|\d{1,2} ?[a-z]|leider))*"
)
"""`Kein Mathe`, `No maths today`: of one lesson, by its name."""

AROUND = re.compile(
    rf"(?:{LOSS}|absage|annulation) (?!de[rsmnu]? |von |im |am )\S+(?: \S+)?"
    rf"|\S+(?: \S+)?[ -](?:{LOSS})"
    rf"|(?:{AWAY}) (?:nach|to|in|en|a|au|aux|zu[mr]?|ins?) .*"
    r"|(?:kurs|klassen|studien)fahrt [^\W\d]+"
    rf"|(?:annulation|suppression|cancelacion|anulacion|suspension|absage|ausfall|cancellation)"
    rf" (?:du |de la |de l'|des |del |of the |of |der |vom |von )?{LESSON}\b.*"
    rf"|\S+(?: \S+)? (?:was|will be|wurde|wird) (?:{CANCELLATION})"
    rf"|(?:{ABSENCE}) \S+(?: \S+)?|se (?:cancela|anula|suspende|aplaza)n? (?:\S+ ?){{1,4}}"
)
"""`Ausfall Mathe 7b`, `Mathe Ausfall`, `Se cancela lengua`: nothing but a name beside it."""
NOT_TODAY = re.compile(
    r"\S+(?: (?!entf|f[^ ]{0,3}llt)\S+)?"
    r" (?:heute nicht|nicht heute|not today|pas aujourd'hui|hoy no)"
)
"""`Mathe heute nicht`, and not `Mathe entfällt heute nicht`."""
NOT_OF_A_LESSON = {
    *("was", "were", "be", "being", "get", "gets", "got", "not", "never", "why", "who", "what"),
    *("and", "or", "nicht", "nie", "und", "oder", "warum", "non", "pas", "jamais", "et", "ou"),
    *("no", "nunca", "y", "o", "by", "of", "that", "which"),
    *("longer", "formerly", "previously", "mehr", "plus", "ya"),
}
"""Before the last word these make it part of a tale, or its opposite."""

NAMES = re.compile(
    r"(?:[\w-]+ )?(?:vertretungs|unterrichts|stunden|termin|ausfall)?-?"
    r"(?:status|statut|estado|etat|art|typ|type|tipo|text|texte|texto|info|hinweise?|note|nota|notiz|bemerkung(?:en)?|memo|vertretung"
    r"|grund|anlass|reason|motif|raison|motivo|anmerkung|kommentar|comment|remark|remarque"
    r"|observacion(?:es)?|substitution|change|anderung)\s*[:=]\s*(.*)"
)
"""Of a line that says something of its lesson, and what it says."""
SWITCH = re.compile(
    rf"(?:{CANCELLATION}|{VERB}|{LOSS}|cancell?ation|annulation|cancelacion)\??\s*[:=]\s*(.*)"
)
"""Of a column or a line that asks for yes or no: `Annulé : oui`."""
YES = {*("yes", "y", "true", "t", "x", "xx", "1", "on", "✓", "✔", "☑", "ja", "j", "wahr", "oui")}
YES |= {*("o", "vrai", "si", "s", "verdadero")}
"""And what they say where it is so."""

PREFIX = re.compile(r"\A\s*(?:(?:fwd?|wg|aw|re|tr|rv|rif|i)\s*:\s*)+", re.IGNORECASE)
"""Of mails that were answered or passed on."""

PARTS = re.compile(r"[()\[\]{}<>|:!*~=#•·…;,_\"“”„«»\\\n\u2010-\u2015]+|\s/\s|\s-+\s*|-+\s|^-+|-+$")
"""What stands between the parts of a title; a hyphen within a word does not."""


TENTATIVE = re.compile(
    r"tentative|provisional|tbc|to be confirmed|unter vorbehalt|vorlaufig|unbestatigt|noch offen"
    r"|provisoire|a confirmer|sous reserve|por confirmar|tentativ[oa]"
)

A_ROOM = r"(?:(?:raum|room|zimmer|salle|aula|sala) )?[a-z]{0,3}[ .-]?\d{2,4}[a-z]?\b"
TO_ROOM = re.compile(
    rf"(?<!\d)(?<!\d )(?:→|➔|➜|⇒|[-=]>) ?(?P<arrow>{A_ROOM})"
    rf"|\b(?:in|im|en|dans) (?P<room>{A_ROOM})"
    rf" (?:statt|anstatt|instead of|au lieu d[eu']?|en (?:lugar|vez) de) (?:in )?{A_ROOM}"
)
"""Another room than the event's own, unless that is it: `Mathe → R205`."""

SUBJECTS = (
    r"mathe\w*|maths?|mates|matematicas|mathematiques|deutsch|german|allemand|aleman|englisch"
    r"|english|anglais|ingles|franzosisch|french|francais|frances|spanisch|spanish|espagnol|espanol"
    r"|lat(?:ein|in)|physi\w*|fisica|chemi\w*|chimie|quimica|bio\w*|svt|geschichte|history|histoire"
    r"|historia|erdkunde|geogra\w*|geo|politik|powi|sozialkunde|musi\w*|kunst|art|religion|ethik"
    r"|philosoph\w*|informati\w*|wirtschaft|lengua|science"
)
"""By which a lesson surely takes place instead of another: `Deutsch entfällt, dafür Mathe`; of a
museum that is not sure."""
IN_PLACE = re.compile(
    rf"(?:dafur|stattdessen|instead|a la place|en su lugar)\s*:? (?:{SUBJECTS})(?: (?:{CLASS}))?"
)
