"""How holidays and days without lessons are called, as patterns: in Germany, Austria, Switzerland,
Great Britain, Ireland, the United States, France, Belgium, Spain and Latin America.

Without accents, signs and capitals, as the titles that they are compared with. They count for
events of whole days alone: in an hour's, a holiday is what the lesson is about.
"""

from __future__ import annotations

import re

HOLIDAY = re.compile(
    r"\b(?:\w*ferien(?:tage?)?|\w*feiertage?|bruckentag|studientag|padagogischer tag|schilf"
    r"|schilf[- ]?tag|(?:konferenz|kollegiums|streik|warnstreik|wander|distanz)tag"
    r"|(?:betriebs|kollegiums|lehrer|schul)ausflug|warnstreik|generalstreik|lehrerstreik"
    r"|holidays?|half[ -]term|inset|recess|(?:spring|summer|autumn|fall|winter|easter|christmas"
    r"|thanksgiving|term|mid-?term|school) break|(?:staff|teachers?'?) (?:training|development|work"
    r"|planning|in-?service|prep(?:aration)?)|(?:student|pupil)s?[ -]free|in-?service day|baker day"
    r"|non[ -]?(?:student|pupil|contact|attendance|instructional) day|weather day"
    r"|(?:teachers?'?|general|school) strike|strike (?:day|action)|industrial action"
    r"|vacances|(?:jours? )?feries?|conges?(?: scolaires?)?|vacaciones|(?:dia )?festivos?"
    r"|no lectivo"
    r"|feriados?|asueto|fiesta (?:nacional|local|autonomica|regional)|puente|huelga"
    r"|pd day|professional (?:development|learning|day)|teacher workday|school closure"
    r"|schulschliessung|pont de l'ascension|journee (?:pedagogique|banalisee|de greve)"
    r"|greve (?:du |des |de l')?(?:personnels?|enseignants?|professeurs|education nationale)"
    r"|fermeture de l'etablissement|semana santa|consejo tecnico(?: escolar)?)\b"
)
"""In a title of few words of whole days; in an hour's it is what the lesson is about."""

GERMAN = (
    r"neujahr(?:stag)?|(?:heilige )?drei ?konige?(?:n|stag)?|karfreitag|karsamstag|grundonnerstag"
    r"|oster(?:montag|sonntag|dienstag)|tag der arbeit|(?:christi )?himmelfahrt(?:stag)?|auffahrt"
    r"|pfingst(?:montag|sonntag|dienstag)|fronleichnam|maria[e]? (?:himmelfahrt|empfangnis)"
    r"|friedensfest|tag der deutschen einheit|reformations(?:tag|fest)|allerheiligen"
    r"|buss- ?(?:und|u|&)? ?bettag|heilig(?:er )?abend|weihnachtstag|ste(?:ph|f)an(?:stag|itag)"
    r"|rosenmontag|faschings?dienstag|fas(?:t)?nachts?(?:dienstag|montag)|veilchendienstag"
    r"|weiberfas(?:t)?nacht|berchtoldstag|bundesfeier|sechselauten|knabenschiessen"
)
ENGLISH = (
    r"new year'?s (?:day|eve)|easter (?:monday|sunday)|good friday|christmas (?:day|eve)|boxing day"
    r"|whit monday|labou?r day|memorial day|veterans'?(?: day)?|thanksgiving|juneteenth"
    r"|(?:martin luther king|mlk)(?: jr)?(?: day)?|president(?:s'?|'s) day|washington's birthday"
    r"|independence day|(?:4th|fourth) of july|columbus day|indigenous peoples?'?(?: day)?"
    r"|battle of the boyne|orangemen'?s day"
)
FRENCH = (
    r"jour de l'an|nouvel an|vendredi saint|lundi de (?:paques|pentecote)|fete (?:du travail"
    r"|nationale|de la victoire|de la communaute francaise|de la federation wallonie-bruxelles)"
    r"|victoire (?:de |du )?(?:8 mai )?1945|(?:jeudi de l'|l')ascension|assomption|toussaint"
    r"|armistice(?: (?:de )?1918| 11 novembre)?|saint-etienne|jeune (?:genevois|federal)"
)
SPANISH = (
    r"ano nuevo|dia de (?:los )?(?:santos )?reyes|reyes magos|(?:jueves|viernes) santo"
    r"|lunes de pascua|dia del? (?:trabajo|trabajador|los trabajadores)|(?:dia de la )?hispanidad"
    r"|(?:dia de )?todos los santos|(?:dia de la )?inmaculada(?: concepcion)?|nochebuena"
    r"|nochevieja|(?:dia de la )?asuncion(?: de la virgen)?|dia de (?:la )?(?:constitucion"
    r"|independencia|bandera|raza|memoria|revolucion|soberania(?: nacional)?|patria|diversidad"
    r" cultural|virgen|andalucia|aragon|asturias|canarias|cantabria|castilla y leon|castilla-la"
    r" mancha|cataluna|extremadura|galicia|navarra|la rioja|(?:las )?(?:illes )?balears"
    r"|la comunidad(?: (?:de madrid|valenciana))?|la region de murcia|(?:los )?muertos)"
    r"|fiestas? patrias?|batalla de (?:puebla|boyaca|carabobo|pichincha)|natalicio de .*"
    r"|encuentro de dos mundos|glorias navales|san pedro y san pablo|virgen de guadalupe"
    r"|revolucion mexicana|dia de (?:benito )?juarez|corpus christi"
)
PUBLIC_HOLIDAY = re.compile(rf"\b(?:{GERMAN}|{ENGLISH}|{FRENCH}|{SPANISH})\b")
"""Public holidays by names that name nothing else."""

FEAST = (
    r"ostern|pfingsten|weihnachten|silvester|epiphanias|frauentag|weltkindertag|fas(?:t)?nacht"
    r"|fasching|karneval|leopoldi(?:tag)?|josef(?:i|stag)|bettag|streik|altweiber"
    r"|internationaler frauentag|easter|christmas|xmas|pentecost|whitsun|epiphany|may day|strike"
    r"|st\.? (?:patrick|andrew|stephen|brigid)'?s day|election day"
    r"|paques|pentecote|ascension|noel|epiphanie|carnaval(?:es)?|pont|greves?"
    r"|navidad|reyes|pascua|epifania|san (?:jose|esteban|isidro|juan|martin)|santiago(?: apostol)?"
    r"|(?:distanz|fern|digital)unterricht|homeschooling|distanzlernen|lernen zu hause"
    r"|(?:e-?|remote |distance |online |virtual |asynchronous )(?:learning|instruction)"
    r"|(?:asynchronous|virtual|remote) day|(?:enseignement|cours|ecole) a distance"
    r"|clases? (?:a distancia|virtual(?:es)?|en linea|online)"
    r"|diada(?: de catalunya)?|la constitucion|dia del (?:maestro|profesor|docente|estudiante)"
)
DATE = (
    r"(?:1|1er|erster|3|8|11|14|15|21|25|26|31) (?:januar|janvier|mai|juli|juillet|august|aout"
    r"|oktober|novembre|november|decembre|dezember)|(?:may|december|january) 1(?:st)?"
    r"|(?:1|1o|2|6|12|15|16|24|25|31|9|18|19|20|primero|dos) de (?:enero|mayo|julio|agosto"
    r"|septiembre|octubre|noviembre|diciembre|junio)"
)
"""Days that are called by their date: `1. Mai`, `14 juillet`, `12 de octubre`."""
BESIDE = (
    r"(?:\d{4}|[a-z]{2}|der|am|the|day|tag|observed|substitute|nur|alsace|moselle|frei|off|feast of"
    r"|fete de|fete|dia de|national|nacional|regional|religious|erster|zweiter|[12])"
)
FEASTS = re.compile(rf"(?:{BESIDE} )*(?:{FEAST}|{DATE})(?: {BESIDE})*")
"""As a whole title alone: `Weihnachten` is one, and `Weihnachten im Schuhkarton` is not."""

EVE = re.compile(r"\b(?:(?:frei)?tag nach|day after|friday after|lendemain (?:de|du)) (?=\w)")
"""Before such a day's name: it is one of those that schools take off, too."""

MARK = re.compile(
    r"(?:(?:public|bank|federal|national|state|school|regional|local|gesetzlicher|gesetzliche"
    r"|nationaler|regionaler|staatlicher) )*(?:holidays?|feiertage?|(?:schul)?ferien)"
    r"(?: (?:in|for|fur) .*)?"
    r"|(?:jours? )?feries?(?: .*)?|(?:vacances|conges?)(?: scolaires?)?"
    r"|dias? (?:festivos?|feriados?|no lectivos?)(?: .*)?|(?:festivos?|feriados?)(?: .*)?"
    r"|vacaciones(?: escolares)?"
)
"""How calendars of holidays mark their days, as a category or in the text below the title."""

MOST_WORDS = 8
"""Of such a title: more is a sentence, of something else."""
NO_HOLIDAY = re.compile(
    r"\b(?:homework|due|hausaufgaben?|devoirs|deberes|club|party|fete|fiesta de|camp|lager|fahrt"
    r"|program\w*|betreuung|anmeld\w*|inscription\w*|inscripcion\w*|plan\w*|booking|antrag"
    r"|request|essay|project|projekt|projet|kurs|course|workshop|trip|film|thema|topic|quiz|test"
    r"|concert|konzert|assembly|parade|basteln|gottesdienst|service|lunch|feier|jumper|fair|markt"
    r"|letzter schultag|last day|before|vor|avant|antes|nach|after|apres|vispera|eve of)\b"
)
"""Of something in the holidays, before or after them; `letzter Ferientag` is one."""
