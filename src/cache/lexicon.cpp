// The words of verification (include/llm/cache_verify.hpp). What is in no row
// has a meaning of its own, so both questions must have it: a row can only
// make two questions more alike. So before adding a word, think of two
// questions that differ in it alone.
//
// In a row, blanks separate words, "|" separates groups of words for one
// thing, ":" separates the two poles of a pair, "_" joins words that mean one
// thing together.
#include "cache/lexicon.hpp"

#include <array>
#include <string>
#include <unordered_set>

#include "text/hash.hpp"

namespace llm::cache {

namespace {

constexpr Language en = Language::english;
constexpr Language de = Language::german;
constexpr Language fr = Language::french;
constexpr Language es = Language::spanish;

using C = WordClass;

// Values are the row's, or count groups where it says so.
constexpr std::uint16_t grouped = 0xFFFF;
// Values are the row's and, with every "|", one more.
constexpr std::uint16_t counted_from_0 = 0xFFFE;
constexpr std::uint16_t counted_from_1 = 0xFFFD;

template <typename Enum>
constexpr std::uint16_t value_of(Enum value) {
    return static_cast<std::uint16_t>(value);
}

struct Row {
    Language language;
    WordClass cls;
    std::uint16_t value;
    std::string_view words;
};

// Units: the same groups in all languages, so that the rows must be alike.
// One group: one unit. Signs of currencies are here too.
constexpr std::string_view english_units =
    "meter meters metre metres|kilometer kilometers kilometre kilometres km kms|"
    "centimeter centimeters centimetre centimetres cm|"
    "millimeter millimeters millimetre millimetres mm|mile miles mi|"
    "foot feet ft|inch inches|yard yards yd|"
    "gram grams gramme grammes|kilogram kilograms kilo kilos kg kgs|"
    "milligram milligrams mg|tonne tonnes ton tons|pound pounds lb lbs|"
    "ounce ounces oz|liter liters litre litres|"
    "milliliter milliliters millilitre millilitres ml|gallon gallons gal|"
    "cup cups|tablespoon tablespoons tbsp|teaspoon teaspoons tsp|"
    "celsius centigrade|fahrenheit|kelvin|degree degrees|"
    "millisecond milliseconds ms|seconds secs sec|minute minutes mins min|"
    "hour hours hrs hr hourly|days daily|week weeks weekly|"
    "months monthly|years yrs yearly annually|decade decades|"
    "century centuries|"
    "byte bytes|kilobyte kilobytes kb|megabyte megabytes mb|"
    "gigabyte gigabytes gb|terabyte terabytes tb|bit bits|"
    "watt watts|kilowatt kilowatts kw|kwh|volt volts|amp amps ampere amperes|"
    "hertz hz|megahertz mhz|gigahertz ghz|calorie calories kcal|joule joules|"
    "acre acres|hectare hectares|percent percentage pct %|"
    "dollar dollars usd $|euro euros eur €|gbp sterling £|"
    "yen jpy ¥|rupee rupees inr ₹|yuan cny rmb renminbi|"
    "franc francs chf|cent cents|peso pesos|ruble rubles rouble|krw|"
    "bitcoin btc|ethereum eth|km/h kmh kph|m/s|bar psi|pascal pascals|"
    "newton newtons|mol mole moles|lightyear lightyears light-year light-years|mph";

constexpr std::string_view german_units =
    "meter metern|kilometer kilometern km|zentimeter cm|millimeter mm|meile "
    "meilen|fuß|zoll|yard yards|gramm|kilogramm kilo kilos kg|"
    "milligramm mg|tonne tonnen|pfund|unze unzen|liter litern|milliliter ml|"
    "gallone gallonen|tasse tassen|esslöffel|teelöffel|"
    "celsius|fahrenheit|kelvin|grad|millisekunde millisekunden ms|sekunde "
    "sekunden|minute minuten min|stunde stunden|tag tage tagen|woche wochen|"
    "monat monate monaten|jahr jahre jahren|jahrzehnt jahrzehnte|jahrhundert "
    "jahrhunderte|byte bytes|kilobyte kb|megabyte mb|gigabyte gb|terabyte tb|"
    "bit bits|watt|kilowatt kw|kwh|volt|ampere|hertz hz|megahertz mhz|"
    "gigahertz ghz|kalorie kalorien kcal|joule|acre|hektar|prozent %|dollar "
    "usd $|euro euros eur €|gbp £|yen jpy ¥";

constexpr std::string_view french_units =
    "mètre mètres|kilomètre kilomètres km|"
    "centimètre centimètres cm|millimètre mm|mille "
    "milles|pied pieds|pouce pouces|yard yards|gramme grammes|kilogramme "
    "kilogrammes kilo kilos kg|milligramme mg|tonne tonnes|livre livres|once "
    "onces|litre litres|millilitre millilitres ml|gallon gallons|tasse "
    "tasses|cuillère|cuiller|celsius|fahrenheit|kelvin|degré "
    "degrés|milliseconde ms|secondes|minute minutes min|heure heures|"
    "jour jours|semaine semaines|mois|an ans année années|"
    "décennie|siècle siècles|octet octets|"
    "kilooctet ko|mégaoctet mo|gigaoctet go|téraoctet to|bit "
    "bits|watt watts|kilowatt kw|kwh|volt volts|ampère|hertz hz|mhz|"
    "ghz|calorie calories kcal|joule|acre|hectare hectares|pourcent %|dollar "
    "dollars usd $|euro euros eur €|gbp £|yen jpy ¥";

constexpr std::string_view spanish_units =
    "metro metros|kilómetro kilómetros kilometros km|"
    "centímetro centímetros cm|milímetro mm|milla "
    "millas|pie pies|pulgada pulgadas|yarda yardas|gramo gramos|kilogramo "
    "kilogramos kilo kilos kg|miligramo mg|tonelada toneladas|libra libras|"
    "onza onzas|litro litros|mililitro ml|galón galones|taza tazas|"
    "cucharada cucharadas|cucharadita cucharaditas|celsius|fahrenheit|kelvin|"
    "grado grados|milisegundo ms|segundos|minuto minutos min|hora horas|"
    "día días dias|semana semanas|mes meses|año "
    "años|década|siglo siglos|byte bytes|kb|mb|gb|tb|bit "
    "bits|vatio vatios|kw|kwh|voltio voltios|amperio|hz|mhz|ghz|caloría "
    "calorías kcal|-|acre|hectárea|por_ciento "
    "porcentaje %|dólar dólares usd $|euro euros eur "
    "€|gbp £|yen jpy ¥";

// Symbols that are words, too, where no number stands before them. In the
// order of the units above; "-" where there is none.
constexpr std::string_view short_units =
    "m|-|-|-|-|-|-|-|g|-|-|t|-|-|l|-|-|-|-|-|c °c|f °f|k|"
    "°|-|s|-|h|d|wk|mo|yr|-|-|-|-|-|-|-|-|w|-|-|v|a";

constexpr Row rows[] = {
    // English

    {en, C::article, 0, "a an the some any this that these those"},
    {en, C::filler, 0,
     "please kindly hi hello hey dear thanks thank thx pls plz so well ok okay "
     "just actually basically really exactly precisely then also quite "
     "perhaps maybe there here oh um uh as such etc e.g i.e eg ie "
     "now right_now at_the_moment anyone anybody someone somebody "
     "'d let lets let's "
     "excuse_me good_morning good_evening good_afternoon good_day "
     "of_course in_order whether o'clock thanks_in_advance "
     "thank_you_in_advance go_about going_about quick_question "
     "have_a_question have_a_quick_question "
     "out_of_interest out_of_curiosity or_not "
     "thanks_for_your_help thank_you_for_your_help"},
    {en, C::polite, 0,
     "tell explain describe give show teach provide walk_me_through "
     "guide_me_through talk_me_through what_do_you_know_about"},
    {en, C::request, 0,
     "want wants wanted wish wonder wondering wondered curious know knows "
     "would_like like_to ask asking asked question questions help helps "
     "helping assist info information find_out learn_about sure "
     "hear interested need needs trying_to try_to looking_to was_wondering "
     "were_wondering would_you_mind do_you_mind happen_to "
     "wanted_to_know have_no_idea any_idea"},
    {en, C::request, grouped,
     "do_not_know do_not_understand am_not_sure not_sure dont_know"},
    {en, C::request_noun, 0,
     "explanation description overview introduction details"},
    {en, C::faint, grouped,
     "exact precise actual specific particular|main|"
     "generally usually typically normally commonly|"
     "current currently present-day nowadays|"
     "called named|again|still|already|yet|"
     "easily|properly correctly proper|if|ever"},
    {en, C::manner, 0,
     "way ways method methods approach approaches step steps procedure "
     "procedures best_way easiest_way right_way correct_way proper_way "
     "good_way simplest_way best_method"},
    {en, C::guide, 0, "guide instructions tutorial process"},
    {en, C::event, grouped,
     "happen happens happening happened occur occurs occurred occurring "
     "take_place takes_place took_place"},
    {en, C::moment, 0, "year date day month time"},
    {en, C::quantity, 0, "much many number amount quantity"},
    {en, C::soft_noun, grouped,
     "person people human humans folks|thing things stuff something anything|"
     "name names|"
     "city cities town towns|country countries nation nations|world|"
     "fact facts|account|"
     // Beside an article: see meaning.cpp.
     "mean means meaning meant definition define defined"},
    {en, C::soft, grouped,
     "take takes taking took taken|find finding|"
     "term phrase|concept notion idea|understand understanding|"
     "possible possibly|located situated"},
    {en, C::pronoun, value_of(Person::first),
     "i me my mine we us our ours"},
    {en, C::pronoun, value_of(Person::second), "you your yours"},
    {en, C::pronoun, value_of(Person::he), "he him his"},
    {en, C::pronoun, value_of(Person::she), "she her hers"},
    {en, C::pronoun, value_of(Person::they), "they them their theirs"},
    {en, C::pronoun, value_of(Person::thing), "it its itself one"},

    {en, C::negation, 0,
     "not no never none nobody nothing nowhere neither nor without cannot "
     "unable_to not_able_to "
     "dont doesnt didnt cant couldnt wont wouldnt shouldnt isnt arent wasnt "
     "werent hasnt havent hadnt no_longer except unless instead"},
    {en, C::present, 0,
     "is are am be being been do does done doing has have having"},
    {en, C::past, 0, "was were did had used_to ago"},
    {en, C::future, 0, "will shall gonna going_to 'll"},
    {en, C::modal, value_of(Modality::possible),
     "can could may might would able_to be_able_to"},
    {en, C::modal, value_of(Modality::advised), "should ought"},
    {en, C::modal, value_of(Modality::required),
     "must have_to has_to need_to"},

    {en, C::question, value_of(Kind::what), "what which whats"},
    {en, C::question, value_of(Kind::who), "who whom whos"},
    {en, C::question, value_of(Kind::whose), "whose"},
    {en, C::question, value_of(Kind::when), "when whens"},
    {en, C::question, value_of(Kind::where), "where wheres"},
    {en, C::question, value_of(Kind::why), "why whys how_come"},
    {en, C::question, value_of(Kind::how), "how hows"},

    {en, C::preposition, value_of(Direction::to), "to into onto towards toward"},
    {en, C::preposition, value_of(Direction::from), "from"},
    {en, C::preposition, value_of(Direction::than), "than"},
    {en, C::preposition, value_of(Direction::by), "by via"},
    {en, C::preposition, value_of(Direction::none),
     "of for on at in with through upon among amongst about regarding "
     "concerning"},
    {en, C::conjunction, 0, "and or & vs vs. versus between"},
    {en, C::operation, '+', "plus"}, {en, C::operation, '-', "minus"},
    {en, C::operation, '*', "times multiplied_by"},
    {en, C::operation, '/', "divided_by"},

    // The words of one pole stand for the same thing.
    {en, C::opposite, grouped,
     "before prior:after following|up:down|in_advance:afterwards|"
     "over:under|above:below beneath|inside indoors:outside outdoors|"
     "left:right|more additional extra:less fewer|most:least fewest|"
     "max maximum maximal:minimum minimal|maximize maximise:minimize "
     "minimise|larger bigger:smaller|largest biggest:smallest|"
     "longer:shorter|longest:shortest|older elder:younger newer|"
     "oldest eldest:youngest|newest latest:earliest|higher:lower|"
     "highest tallest:lowest|taller|faster quicker:slower|"
     "fastest quickest:slowest|heavier:lighter|heaviest:lightest|"
     "hotter warmer:colder cooler|hottest warmest:coldest coolest|"
     "richer wealthier:poorer|richest wealthiest:poorest|stronger:weaker|"
     "strongest:weakest|closer nearer:farther further|"
     "closest nearest:farthest furthest|better:worse|best:worst|"
     "easier:harder|easy:difficult hard|good:bad|slow slowly|"
     "first:last|next:previous|upper|"
     "start begin starts begins starting beginning started began begun "
     "commence:end ends ending ended|"
     "increase increases increasing increased raise raising raised:decrease "
     "decreases decreasing decreased reduce reduces reducing reduced "
     "reduction lower_my lower_your|"
     "gain gains gaining gained:lose losing loses loss losses|"
     "rise rising rises rose risen:fall falling falls fell fallen|"
     "expand expanding:shrink shrinking|"
     "activate activating activation:deactivate deactivating deactivation|"
     "enable enabling enabled turn_on switch_on turning_on switching_on:"
     "disable disabling disabled turn_off switch_off turning_off "
     "switching_off|"
     "subscribe subscribing:unsubscribe unsubscribing cancel cancelling "
     "canceling cancelled canceled cancellation call_off|"
     "open opening opens:close closing closes closed shut|"
     "lock locking locked:unlock unlocking unlocked|"
     "install installing installation:uninstall uninstalling|"
     "import importing imports:export exporting exports|"
     "upload uploading uploads:download downloading downloads|"
     "buy buying buys bought purchase purchasing purchased:sell selling sells "
     "sold|borrow borrowing:lend lending|deposit depositing:withdraw "
     "withdrawing withdrawal|send sending sent:receive receiving received|"
     "add adding added:remove removing removes removed removal delete "
     "deleting deletes deleted deletion erase get_rid_of getting_rid_of|"
     "insert inserting:extract "
     "extracting extraction|connect connecting:disconnect disconnecting|"
     "push pushing:pull pulling|encrypt encrypting encryption:decrypt "
     "decrypting decryption|encode encoding:decode decoding|"
     "compress compressing:decompress decompressing|zip:unzip|mute:unmute|"
     "block blocking blocked:unblock unblocking unblocked|hide hiding:unhide|"
     "freeze freezing:thaw thawing melt melting|attach attaching:detach "
     "detaching|mount mounting:unmount unmounting|"
     "allow allowing allowed permit permitted:forbid forbidden ban banned "
     "prohibited|accept accepting accepted:reject rejecting rejected decline|"
     "include including included:exclude excluding excluded|"
     "approve approved:deny denied|"
     "win wins winning won winner:lost loser|"
     "arrive arriving arrival arrives arrived:depart departing departure "
     "departs departed|enter entering:exit exiting leave leaving|"
     "public:private|internal:external|domestic:foreign|"
     "legal legally:illegal illegally|positive:negative|true:false|"
     "advantage advantages pros benefit benefits:disadvantage disadvantages "
     "cons drawback drawbacks|"
     "success succeed successful:failure fail fails failing failed|"
     "hot:cold|rich wealthy:poor|strong:weak|male:female|man men:woman women|"
     "boy boys:girl girls|husband husbands:wife wives|father fathers dad:"
     "mother mothers mom mum|brother brothers:sister sisters|son sons:daughter "
     "daughters|king kings:queen queens|uncle:aunt|north northern:south "
     "southern|east eastern:west western|morning:evening|night:daytime|"
     "summer:winter|spring:autumn|odd|input inputs:output outputs|"
     "client clients:server servers|sender:receiver recipient|"
     "parent parents:child children kid kids|teacher teachers:student "
     "students|employer employers:employee employees|buyer buyers:seller "
     "sellers|horizontal horizontally:vertical vertically|"
     "ascending:descending|uppercase:lowercase|plural:singular|front:rear|"
     "ancient:modern|synchronous:asynchronous|static:dynamic|"
     "asset assets:liability liabilities|debit:credit|supply:demand|"
     "cause causes causing caused:effect effects|liquid:solid|"
     "acid acidic:alkaline|full:empty|dry:wet|"
     "clockwise:counterclockwise anticlockwise|safe safely:dangerous unsafe|"
     "healthy:unhealthy|cheaper:pricier|online:offline|forward forwards:"
     "backward backwards|"
     "log_in login log_on logging_in sign_in signin signing_in:log_out logout "
     "logging_out sign_out signout signing_out log_off sign_off|"
     "dead:alive|die dies died death dying:born birth|"
     "encourage:discourage|attack:defend|create creates creating created "
     "creation:destroy destroying destroyed "
     "destruction"},

    // After "how": a number. The nouns are of the same group.
    {en, C::aspect, grouped,
     "tall height high|long length duration lasts|far far_away distance|"
     "old age aged|"
     "big size large huge|heavy weight weigh weighs|fast speed velocity|"
     "deep depth|wide width|cost costs price prices priced costing expensive|"
     "often frequently frequency|soon|loud|bright|thick thickness|"
     "population inhabitants residents how_many_people_live_in"},

    // Of regular verbs and nouns one form will do.
    {en, C::synonym, grouped,
     "capital capital_city|all every each|car automobile|movie film|"
     "photo picture photograph pic|smartphone cellphone cell_phone "
     "mobile_phone|telephone phone|laptop|doctor physician|"
     "lawyer attorney|flat apartment|job occupation|salary wage|"
     "company firm|illness disease|symptom sign_of signs_of|"
     "treat treatment|fix repair|sofa couch|truck lorry|tire tyre|"
     "gray grey|aluminum aluminium|grandma grandmother|grandpa grandfather|"
     "supermarket grocery_store|fridge refrigerator|tap faucet|"
     "garbage trash rubbish|lift elevator|bike bicycle|"
     "plane airplane aeroplane|tv television|toxic poisonous|"
     "email e-mail|website site|wifi wi-fi|app application|"
     "program programme|folder directory|package parcel|"
     "hard_drive hard_disk|color colour|center centre|"
     "problem issue|make made|get got gotten obtain|use utilize utilise|"
     "work|come came|become became|live reside|go goes went gone|"
     "see saw seen|lead led|eat ate eaten consume|drink drank drunk|"
     "speak spoke spoken talk|drive drove driven|"
     "difference differ different distinguish|compare comparison|"
     "reason|kind type|kill terminate|launch|reserve reservation booking|"
     "build built construct construction|write wrote written author|"
     "choose chose chosen choice pick select selection|modify alter|"
     "recover recovery restore|set_up setup setting_up configure "
     "configuration|run ran execute execution|"
     "summarize summarise summary|"
     "recommend recommendation suggest suggestion|organize organise|"
     "improve improvement enhance|prevent prevention avoid|"
     "register registration sign_up signing_up signup|"
     "grow grew grown growth cultivate|fly flies flew flown|sing sang sung|"
     "swim swam|tooth teeth|mouse mice|forget forgot forgotten|"
     "calculate calculation compute|translate translation|"
     "convert conversion|leaf leaves|start_up startup|"
     "discover discovery|invent invention|stop quit|"
     "contact get_in_touch_with getting_in_touch_with|"
     "customer_service customer_support customer_care|"
     "importance significance|prerequisite requirement|reply respond|"
     "required needed necessary|mandatory compulsory obligatory|"
     "throw_away throw_out discard|fill_in fill_out|"
     "top_speed maximum_speed max_speed|for_free free_of_charge|"
     "myself yourself oneself|carry_out carries_out carrying_out carried_out|"
     "search_for look_for searching_for looking_for|hand_in submit|"
     "speed_up accelerate|back_up backup|stand_for stands_for short_for"},
    // Verbs that make their forms otherwise, and nouns.
    {en, C::synonym, grouped,
     "bring brought|catch caught|think thought|break broke "
     "broken|draw drew drawn|fight fought|hold held|"
     "keep kept|pay paid|ride rode ridden|sleep slept|"
     "spend spent|steal stole stolen|stand stood|throw threw thrown|"
     "wear wore worn|wake woke|sink sank sunk|shoot shot|"
     "feed fed|feel felt|meet met|say said|"
     "blow blew blown|bite bitten|shake shook shaken|"
     "goose geese|wolf wolves|knife knives|half halves|shelf shelves|"
     "loaf loaves|thief thieves|crisis crises|criterion criteria|"
     "phenomenon phenomena|bacterium bacteria|fungus fungi|"
     "nucleus nuclei|cactus cacti|index indices|matrix matrices|"
     "vertex vertices|hypothesis hypotheses|diagnosis diagnoses"},
    // Verbs and what they are called.
    {en, C::synonym, grouped,
     "produce production|analyze analyse analysis analyses|"
     "develop development|manage management|invest investment|"
     "employ employment|measure measurement|replace replacement|"
     "adjust adjustment|enroll enrollment|maintain maintenance|"
     "perform performance|appear appearance|exist existence|"
     "survive survival|renew renewal|refuse refusal|deliver delivery|"
     "reproduce reproduction|"
     "erupt eruption|"
     "digest digestion|collect collection|protect protection|"
     "inspect inspection|predict prediction|elect election|"
     "infect infection|detect detection|inject injection|"
     "evolve evolution|explode explosion|invade invasion|"
     "decide decision|transmit transmission|marry marriage|"
     "complain complaint|solve solution|absorb absorption|"
     "identify identification|retire retirement|"
     "pronounce pronunciation|ferment fermentation|adapt adaptation|"
     "implement implementation|behave behavior behaviour"},
    {en, C::synonym, grouped,
     "usa u.s america united_states u.s.a united_states_of_america|"
     "uk u.k united_kingdom britain great_britain|eu european_union|"
     "un united_nations|uae united_arab_emirates|"
     "nyc new_york new_york_city|los_angeles|san_francisco sf|"
     "wwi ww1 world_war_i world_war_1 world_war_one first_world_war|"
     "wwii ww2 world_war_ii world_war_2 world_war_two second_world_war|"
     "ai artificial_intelligence|machine_learning|"
     "nlp natural_language_processing|llm large_language_model|"
     "gdp gross_domestic_product|cpu central_processing_unit|"
     "gpu graphics_processing_unit|ram random_access_memory|"
     "os operating_system|vpn virtual_private_network|"
     "api application_programming_interface|ui user_interface|"
     "faq frequently_asked_questions|ceo chief_executive_officer|"
     "asap as_soon_as_possible|bmi body_mass_index|"
     "roi return_on_investment|vat value_added_tax|"
     "seo search_engine_optimization|pc personal_computer|"
     "js javascript|db database|postgres postgresql|kubernetes k8s|int integer|"
     "repo repository|dict dictionary|docs documentation|"
     "admin administrator|ad advertisement|exam examination|"
     "lab laboratory|math maths mathematics|temp temperature|"
     "vet veterinarian|flu influenza|dna deoxyribonucleic_acid|"
     "adhd attention_deficit_hyperactivity_disorder|"
     "sync synchronize synchronise"},

    {en, C::month, counted_from_1,
     "january|february|march|april|-|june|july|august|september|"
     "october|november|december"},
    {en, C::short_month, counted_from_1,
     "jan|feb|mar|apr|-|jun|jul|aug|sep sept|oct|nov|dec"},
    {en, C::weekday, counted_from_1,
     "monday mondays|tuesday tuesdays|wednesday wednesdays|thursday thursdays|"
     "friday fridays|saturday saturdays|sunday sundays"},
    {en, C::number, counted_from_0,
     "zero|-|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
     "thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"},
    {en, C::number, 20, "twenty"}, {en, C::number, 30, "thirty"},
    {en, C::number, 40, "forty"}, {en, C::number, 50, "fifty"},
    {en, C::number, 60, "sixty"}, {en, C::number, 70, "seventy"},
    {en, C::number, 80, "eighty"}, {en, C::number, 90, "ninety"},
    {en, C::scale, counted_from_0,
     "hundred|thousand|million mio|billion bn|trillion|dozen"},
    {en, C::ordinal, counted_from_1,
     "1st|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|"
     "eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|"
     "seventeenth|eighteenth|nineteenth|twentieth"},
    {en, C::unit, grouped, english_units},
    {en, C::short_unit, grouped, short_units},

    // German

    {de, C::article, 0,
     "der die das den dem des ein eine einen einem einer eines mein meine "
     "meinen meinem meiner dein deine ihre ihr unser unsere diese dieser "
     "dieses diesem diesen"},
    {de, C::filler, 0,
     "bitte hallo guten danke mal denn eigentlich genau einfach auch "
     "so also da es etwas wissen weiß möchte würde "
     "gern gerne frage fragen hilf hilfe helfen dass ob man sich "
     "zum zur am im beim vom ins gibt"},
    {de, C::polite, 0,
     "sag sage sagen erklär erkläre erklären beschreibe "
     "beschreiben erzähl erzähle erzählen zeig zeige "
     "zeigen nenne nennen"},
    {de, C::faint, grouped,
     "beste besten gut gute richtig richtige richtigen|aktuell aktuelle "
     "aktuellen derzeit momentan|heißt genannt|eigenen"},
    {de, C::manner, 0, "weg wege schritte methode methoden anleitung"},
    {de, C::quantity, 0, "viel viele vieler"},
    {de, C::pronoun, value_of(Person::first), "ich mich mir wir uns"},
    {de, C::pronoun, value_of(Person::second), "du dich dir euch"},
    {de, C::pronoun, value_of(Person::he), "er ihn ihm sein seine"},
    {de, C::pronoun, value_of(Person::they), "sie ihnen"},
    {de, C::negation, 0,
     "nicht kein keine keinen keinem keiner nie niemals niemand nichts ohne "
     "weder außer statt"},
    {de, C::present, 0,
     "ist sind bin bist seid hat habe haben hast tut tun "
     "werde"},
    {de, C::past, 0, "war waren hatte hatten wurde wurden"},
    {de, C::future, 0, "wird werden"},
    {de, C::modal, value_of(Modality::possible),
     "kann kannst können könnt könnte könnten "
     "darf dürfen"},
    {de, C::modal, value_of(Modality::advised), "soll sollte sollten sollen"},
    {de, C::modal, value_of(Modality::required), "muss müssen musst"},
    {de, C::question, value_of(Kind::what),
     "was welche welcher welches welchem welchen"},
    {de, C::question, value_of(Kind::who), "wer wen wem"},
    {de, C::question, value_of(Kind::whose), "wessen"},
    {de, C::question, value_of(Kind::when),
     "wann um_wie_viel_uhr um_wieviel_uhr in_welchem_jahr"},
    {de, C::question, value_of(Kind::where), "wo"},
    {de, C::question, value_of(Kind::where_to), "wohin"},
    {de, C::question, value_of(Kind::where_from), "woher"},
    {de, C::question, value_of(Kind::why), "warum wieso weshalb"},
    {de, C::question, value_of(Kind::how), "wie"},
    {de, C::question, value_of(Kind::how_much),
     "wieviel wieviele wie_viel wie_viele"},
    {de, C::preposition, value_of(Direction::to), "zu nach"},
    {de, C::preposition, value_of(Direction::from), "von aus ab"},
    {de, C::preposition, value_of(Direction::than), "als"},
    {de, C::preposition, value_of(Direction::by), "durch"},
    {de, C::preposition, value_of(Direction::none),
     "in an auf bei mit für um"},
    {de, C::conjunction, 0, "und oder zwischen sowie"},
    {de, C::opposite, grouped,
     "mehr:weniger|vor:danach|über:unter|"
     "aktivieren:deaktivieren|einschalten:ausschalten|kaufen:verkaufen|"
     "öffnen:schließen|anmelden:abmelden kündigen|"
     "erhöhen:senken|importieren:exportieren|hinzufügen:entfernen "
     "löschen|installieren:deinstallieren|hochladen:herunterladen|"
     "größer größte:kleiner kleinste|"
     "maximum maximal:minimum minimal|erste ersten:letzte letzten|"
     "links:rechts|geboren:gestorben"},
    {de, C::aspect, grouped,
     "groß hoch höhe|lang lange länge dauert|weit "
     "entfernung|alt alter|schwer gewicht|schnell geschwindigkeit|tief tiefe|"
     "teuer kostet kosten preis|oft"},
    {de, C::month, counted_from_1,
     "januar|februar|märz|april|mai|juni|juli|august|september|oktober|"
     "november|dezember"},
    {de, C::weekday, counted_from_1,
     "montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag"},
    {de, C::number, counted_from_0,
     "null|-|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|"
     "zwölf"},
    {de, C::scale, counted_from_0,
     "hundert|tausend|million millionen|milliarde milliarden|billionen|"
     "dutzend"},
    {de, C::unit, grouped, german_units},
    {de, C::short_unit, grouped, short_units},

    // French

    {fr, C::article, 0,
     "le la les l' un une des du de_la mon ma mes ton ta tes notre nos votre "
     "vos ce cet cette ces"},
    {fr, C::filler, 0,
     "bonjour salut merci svp s'il plaît si_vous qu' que est-ce alors "
     "aussi y savoir sais veux voudrais aimerais question aide aider peu "
     "comme vraiment simplement se il_y"},
    {fr, C::polite, 0,
     "dis dites dire expliquer explique expliquez décrire "
     "décris décrivez parle parlez montre montrez donne "
     "donnez"},
    {fr, C::faint, grouped,
     "meilleur meilleure bon bonne|actuel actuelle actuellement|principal "
     "principale"},
    {fr, C::manner, 0, "façon manière méthode "
                       "étapes moyen"},
    {fr, C::pronoun, value_of(Person::first), "je j' me m' moi nous"},
    {fr, C::pronoun, value_of(Person::second), "tu te toi vous"},
    {fr, C::pronoun, value_of(Person::he), "il lui"},
    {fr, C::pronoun, value_of(Person::she), "elle"},
    {fr, C::pronoun, value_of(Person::they), "ils elles leur leurs"},
    {fr, C::pronoun, value_of(Person::thing), "on c' ça cela"},
    {fr, C::negation, 0,
     "ne n' pas jamais rien aucun aucune personne sans ni sauf"},
    {fr, C::present, 0, "est sont suis es ai a ont avons fait font faire fais"},
    {fr, C::past, 0, "était étaient avait avaient fut furent"},
    {fr, C::future, 0, "sera seront aura auront va vont"},
    {fr, C::modal, value_of(Modality::possible),
     "peut peux peuvent pouvez pouvons pourrait pourriez pourrais"},
    {fr, C::modal, value_of(Modality::required), "dois doit faut devez"},
    {fr, C::question, value_of(Kind::what),
     "quoi quel quelle quels quelles qu'_est_ce_que qu'_est_ce_qu' "
     "qu'_est_ce_qui"},
    {fr, C::question, value_of(Kind::who), "qui"},
    {fr, C::question, value_of(Kind::when),
     "quand à_quelle_heure en_quelle_année"},
    {fr, C::question, value_of(Kind::where), "où"},
    {fr, C::question, value_of(Kind::why), "pourquoi"},
    {fr, C::question, value_of(Kind::how), "comment"},
    {fr, C::question, value_of(Kind::how_much), "combien"},
    {fr, C::preposition, value_of(Direction::to), "à au aux vers"},
    {fr, C::preposition, value_of(Direction::from), "de d' depuis"},
    {fr, C::preposition, value_of(Direction::by), "par"},
    {fr, C::preposition, value_of(Direction::none),
     "en dans sur pour avec chez"},
    {fr, C::conjunction, 0, "et ou entre"},
    {fr, C::opposite, grouped,
     "plus:moins|avant:après|activer:désactiver|acheter:vendre|"
     "ouvrir:fermer|augmenter:réduire diminuer|importer:exporter|"
     "ajouter:supprimer|installer:désinstaller|premier "
     "première:dernier dernière|maximum:minimum|gauche:droite"},
    {fr, C::aspect, grouped,
     "coûte coûtent coûter coût prix tarif|hauteur haut haute|âge|"
     "poids pèse|longueur|vitesse|distance loin"},
    {fr, C::month, counted_from_1,
     "janvier|février|mars|avril|mai|juin|juillet|août|"
     "septembre|octobre|novembre|décembre"},
    {fr, C::weekday, counted_from_1,
     "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"},
    {fr, C::number, counted_from_0,
     "zéro|-|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze"},
    {fr, C::scale, counted_from_0,
     "cent|-|million millions|milliard milliards|-|douzaine"},
    {fr, C::unit, grouped, french_units},
    {fr, C::short_unit, grouped, short_units},

    // Spanish

    {es, C::article, 0,
     "el la los las un una unos unas mi mis tu tus su sus nuestro nuestra "
     "este esta estos estas ese esa"},
    {es, C::filler, 0,
     "hola gracias por_favor favor lo que quiero quisiera saber sabes "
     "pregunta ayuda ayudar ayudame ayúdame también entonces "
     "sobre acerca se le hay"},
    {es, C::polite, 0,
     "dime decir explícame explica explicar describe describir "
     "cuéntame muestra muestrame"},
    {es, C::faint, grouped,
     "mejor mejores bueno buena|actual actualmente|principal"},
    {es, C::manner, 0, "manera forma método pasos modo"},
    {es, C::pronoun, value_of(Person::first), "yo me nosotros nos"},
    {es, C::pronoun, value_of(Person::second), "tú te usted ustedes"},
    {es, C::pronoun, value_of(Person::he), "él"},
    {es, C::pronoun, value_of(Person::she), "ella"},
    {es, C::pronoun, value_of(Person::they), "ellos ellas"},
    {es, C::negation, 0,
     "no nunca jamás nada nadie ningún ninguno ninguna sin "
     "tampoco excepto"},
    {es, C::present, 0,
     "es son soy eres está están ha han he tiene tienen"},
    {es, C::past, 0, "fue fueron era eran estaba había tenía"},
    {es, C::future, 0, "será serán va van habrá"},
    {es, C::modal, value_of(Modality::possible), "puedo puede pueden puedes"},
    {es, C::modal, value_of(Modality::required), "debo debe deben debes"},
    {es, C::question, value_of(Kind::what),
     "qué cuál cuáles cual cuales"},
    {es, C::question, value_of(Kind::who),
     "quién quiénes quien"},
    {es, C::question, value_of(Kind::when),
     "cuándo cuando a_qué_hora en_qué_año"},
    {es, C::question, value_of(Kind::where), "dónde donde"},
    {es, C::question, value_of(Kind::where_to), "adónde"},
    {es, C::question, value_of(Kind::why), "por_qué porqué"},
    {es, C::question, value_of(Kind::how), "cómo como"},
    {es, C::question, value_of(Kind::how_much),
     "cuánto cuánta cuántos cuántas cuanto "
     "cuantos cuantas"},
    {es, C::preposition, value_of(Direction::to), "a al hacia"},
    {es, C::preposition, value_of(Direction::from), "de del desde"},
    {es, C::preposition, value_of(Direction::by), "por"},
    {es, C::preposition, value_of(Direction::none), "en para con"},
    {es, C::conjunction, 0, "y o e u entre"},
    {es, C::opposite, grouped,
     "más mas:menos|antes:después|activar:desactivar|"
     "comprar:vender|abrir:cerrar|aumentar:reducir disminuir|"
     "importar:exportar|añadir agregar:eliminar borrar|"
     "instalar:desinstalar|subir:bajar|primero primera primer:"
     "último última|máximo:mínimo|"
     "izquierda:derecha"},
    {es, C::aspect, grouped,
     "cuesta cuestan costar costo coste precio|altura alto alta|edad|"
     "pesa peso|longitud|velocidad|distancia lejos"},
    {es, C::synonym, grouped, "hacer hace hago hacen"},
    {es, C::month, counted_from_1,
     "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|"
     "noviembre|diciembre"},
    {es, C::weekday, counted_from_1,
     "lunes|martes|miércoles|jueves|viernes|sábado|domingo"},
    {es, C::number, counted_from_0,
     "cero|-|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce"},
    {es, C::scale, counted_from_0,
     "cien ciento|mil|millón millones|-|-|docena"},
    {es, C::unit, grouped, spanish_units},
    {es, C::short_unit, grouped, short_units},
};

struct Slot {
    std::string_view text;
    Language language = Language::unknown;
    bool begins = false;    // a phrase
    Word word;
};

constexpr std::size_t slot_count = 8192;    // a power of two, half empty

constexpr std::size_t first_slot(Language language, std::string_view text) {
    std::uint64_t hash = fnv1a(text) + static_cast<std::uint64_t>(language);
    return static_cast<std::size_t>(hash ^ hash >> 32) % slot_count;
}

// Calls use(Language, text, Word) for every word of the rows.
template <typename Use>
constexpr void for_each_word(Use &&use) {
    std::uint16_t next_group = 1;

    for (const Row &row : rows) {
        bool pairs = row.cls == C::opposite;
        bool units = row.cls == C::unit || row.cls == C::short_unit;
        std::uint16_t step = 0;
        std::uint16_t pole = 0;
        std::size_t start = 0;
        const std::string_view words = row.words;
        auto value = [&]() -> std::uint16_t {
            switch (row.value) {
            case grouped:
                // Units have the numbers of their rows, in every language.
                return static_cast<std::uint16_t>(
                    units ? step : pairs ? 2 * (next_group + step) + pole
                                         : next_group + step);
            case counted_from_0:
                return step;
            case counted_from_1:
                return static_cast<std::uint16_t>(step + 1);
            default:
                return row.value;
            }
        };

        for (std::size_t i = 0; i <= words.size(); ++i) {
            const char c = i < words.size() ? words[i] : ' ';
            if (c != ' ' && c != '|' && c != ':') {
                continue;
            }
            std::string_view text = words.substr(start, i - start);
            if (!text.empty() && text != "-") {
                use(row.language, text, Word{row.cls, value()});
            }
            start = i + 1;
            if (c == '|') {
                ++step;
                pole = 0;
            } else if (c == ':') {
                pole = 1;
            }
        }
        if (row.value == grouped && !units) {
            next_group = static_cast<std::uint16_t>(next_group + step + 1);
        }
    }
}

struct Table {
    std::array<Slot, slot_count> slots{};

    Table() {
        for_each_word([&](Language language, std::string_view text,
                          Word word) { insert(language, text, word); });
    }

    void insert(Language language, std::string_view text, Word word) {
        Slot &slot = slots[find(language, text)];
        if (slot.text.empty()) {
            slot.text = text;
            slot.language = language;
        }
        if (slot.word.cls == WordClass::unlisted) {
            slot.word = word;
        }
        std::size_t first = text.find('_');
        if (first != std::string_view::npos) {
            insert(language, text.substr(0, first), Word());
            slots[find(language, text.substr(0, first))].begins = true;
        }
    }

    // The word's slot, or the free one where it would be.
    std::size_t find(Language language, std::string_view text) const {
        std::size_t at = first_slot(language, text);
        while (!slots[at].text.empty()
               && (slots[at].language != language || slots[at].text != text)) {
            at = (at + 1) % slot_count;
        }
        return at;
    }
};

const Table &table() {
    static const Table all;
    return all;
}

}  // namespace

Word look_up(Language language, std::string_view word) noexcept {
    const Table &all = table();
    return all.slots[all.find(language, word)].word;
}

bool begins_phrase(Language language, std::string_view word) noexcept {
    const Table &all = table();
    return all.slots[all.find(language, word)].begins;
}

std::string_view repeated_word(std::size_t index) {
    std::unordered_set<std::string> seen;
    std::string_view repeated;
    for_each_word([&](Language language, std::string_view text, Word word) {
        // Symbols of units may be words as well; see short_units.
        if (text == "-" || word.cls == WordClass::short_unit) {
            return;
        }
        std::string key = std::to_string(static_cast<int>(language)) + ' '
                          + std::string(text);
        if (!seen.insert(key).second && repeated.empty() && index-- == 0) {
            repeated = text;
        }
    });
    return repeated;
}

}  // namespace llm::cache
