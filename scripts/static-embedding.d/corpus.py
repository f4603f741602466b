"""Sentences to fit a static table with: what people ask a model, in many
wordings. Written for this purpose; nothing comes from a data set, and nothing
from data/eval/pairs.tsv, which only ever judges.

A group is one intent. Its templates say the same of the same slots, so the
teacher's answers for them can be averaged: a table of single words cannot
tell "who is" from "tell me more about" by order, but it can learn that
neither weighs much.
"""
import random

# Words that change the wording and not the intent: [help] in a template is
# one of them, chosen anew for each sentence.
WORDINGS = {
    "please": ["", "", "", "please", "can you", "could you", "could you "
               "please", "would you", "I need you to", "I want you to",
               "kindly", "hey,", "hi,", "can you help me"],
    "how": ["how do I", "how can I", "how to", "how would I", "how do you",
            "what is the way to", "what's the best way to", "how does one",
            "how should I", "I want to know how to", "tell me how to",
            "show me how to", "steps to", "is there a way to",
            "I need help to", "I would like to", "I want to",
            "what do I have to do to", "help me", "can you tell me how to",
            "instructions to", "where can I"],
    "tell": ["tell me about", "tell me more about", "what do you know about",
             "give me some information about", "give me information on",
             "I want to learn about", "I'd like to know more about",
             "can you tell me about", "information about", "describe",
             "give me an overview of", "some details about",
             "write a short introduction to", "say something about"],
    "what": ["what is", "what's", "what exactly is", "explain",
             "can you explain", "please explain", "define",
             "what is meant by", "what does one mean by", "the meaning of",
             "give me a definition of", "what do you mean by",
             "explain the concept of", "could you tell me what is"],
    "who": ["who is", "who was", "who's", "tell me about", "tell me more "
            "about", "what do you know about", "who exactly is",
            "information about", "give me a short biography of",
            "what can you tell me about", "I want to know who is",
            "do you know", "describe the life of", "introduce me to"],
    "fix": ["fix", "solve", "resolve", "get rid of", "repair", "correct",
            "debug", "handle", "deal with", "troubleshoot"],
    "make": ["write", "create", "generate", "make", "produce", "draft",
             "compose", "give me", "come up with", "prepare"],
    "short": ["short", "brief", "concise", "quick", "small"],
    "sum": ["summarise", "summarize", "give me a summary of", "sum up",
            "write a summary of", "give the main points of", "condense",
            "what are the key points of", "tl;dr of", "shorten"],
    "remove": ["delete", "remove", "erase", "get rid of", "drop"],
    "start": ["start", "launch", "run", "begin", "boot", "bring up"],
    "stop": ["stop", "shut down", "halt", "terminate", "kill", "end"],
    "change": ["change", "update", "modify", "edit", "alter", "adjust"],
    "see": ["see", "view", "find", "check", "look up", "get", "look at"],
    "buy": ["buy", "purchase", "order", "get"],
    "cost": ["how much does {x} cost", "what is the price of {x}",
             "what does {x} cost", "price of {x}", "how expensive is {x}",
             "how much is {x}", "how much do I have to pay for {x}",
             "what will I pay for {x}", "cost of {x}"],
    "diff": ["what is the difference between {x} and {y}",
             "how does {x} differ from {y}", "{x} vs {y}",
             "compare {x} and {y}", "difference between {y} and {x}",
             "what distinguishes {x} from {y}", "{x} versus {y}",
             "how are {x} and {y} different", "comparison of {x} and {y}",
             "what sets {x} apart from {y}", "explain {x} vs. {y}"],
    "why": ["why does {x}", "what is the reason that {x}",
            "what causes {x}", "how come {x}", "the reason for {x}",
            "why is there {x}", "explain why {x}", "what makes {x}"],
    "my": ["my", "the", "our", "a", "this"],
    "best": ["best", "top", "most recommended", "greatest"],
    "list": ["list", "give me a list of", "name", "enumerate", "what are",
             "show me", "tell me"],
}

SOFTWARE = """python|java|javascript|typescript|rust|golang|docker|kubernetes
|nginx|apache|redis|postgres|mysql|mongodb|git|github|linux|ubuntu|debian
|windows|macos|react|angular|django|flask|spring boot|terraform|ansible
|jenkins|grafana|prometheus|elasticsearch|kafka|rabbitmq|bash|vim|emacs|excel
|word|powerpoint|outlook|gmail|slack|zoom|teams|photoshop|android studio
|xcode|node.js|npm|pip|cmake|gcc|llvm|openssl|systemd|cron|ssh|curl|wireshark
|jira|confluence|salesforce|wordpress|shopify|stripe|paypal|aws|azure
|google cloud|lambda|s3|dynamodb|bigquery|snowflake|spark|hadoop|airflow|pandas
|numpy|pytorch|tensorflow|sqlite|graphql|grpc|haskell|scala|kotlin|swift|perl
|ruby on rails|php|laravel|c++|c sharp|matlab|fortran|cobol|unity|blender"""
CONCEPTS = """recursion|polymorphism|inheritance|closure|pointer|hash table
|binary tree|linked list|quicksort|dynamic programming|garbage collection
|deadlock|race condition|mutex|semaphore|coroutine|virtual memory|cache line
|load balancer|reverse proxy|message queue|event loop|dependency injection
|regular expression|foreign key|index|transaction|normalisation|sharding
|replication|encryption|hashing|digital signature|public key|blockchain
|neural network|gradient descent|overfitting|transformer|attention|embedding
|reinforcement learning|photosynthesis|mitosis|osmosis|evolution|gravity
|relativity|entropy|quantum entanglement|black hole|supernova|plate tectonics
|inflation|recession|supply and demand|opportunity cost|compound interest
|mortgage|bond|stock option|index fund|democracy|capitalism|communism
|federalism|constitution|habeas corpus|copyright|patent|trademark|existentialism
|stoicism|utilitarianism|metaphor|irony|sonnet|haiku|fugue|renaissance
|impressionism|cubism|vaccine|antibiotic|diabetes|hypertension|anaemia|insulin
|cholesterol|vitamin|protein|carbohydrate|metabolism|hormone|neuron|dna|enzyme
|acid|isotope|catalyst|ion|covalent bond|electron|photon|magnetism|voltage
|resistance|capacitor|transistor|laser|radar|turbine|earthquake|volcano|tornado
|glacier|coral reef|rainforest|desert|greenhouse effect|ozone layer|tide
|eclipse|comet|asteroid|galaxy|logarithm|derivative|integral|matrix|eigenvalue
|prime number|probability|standard deviation|variance|correlation|median"""
PEOPLE = """albert einstein|marie curie|isaac newton|charles darwin|ada lovelace
|alan turing|grace hopper|nikola tesla|thomas edison|leonardo da vinci
|michelangelo|pablo picasso|vincent van gogh|frida kahlo|claude monet|mozart
|beethoven|bach|chopin|the beatles|bob dylan|david bowie|madonna|elvis presley
|shakespeare|jane austen|charles dickens|virginia woolf|franz kafka|leo tolstoy
|fyodor dostoevsky|mark twain|ernest hemingway|george orwell|homer|dante
|goethe|cervantes|victor hugo|albert camus|plato|aristotle|socrates|confucius
|immanuel kant|friedrich nietzsche|karl marx|sigmund freud|julius caesar
|cleopatra|alexander the great|genghis khan|napoleon|queen victoria
|elizabeth the first|abraham lincoln|george washington|john f kennedy
|winston churchill|mahatma gandhi|nelson mandela|martin luther king|rosa parks
|mother teresa|che guevara|vladimir lenin|joseph stalin|margaret thatcher
|barack obama|angela merkel|steve jobs|bill gates|elon musk|jeff bezos
|linus torvalds|tim berners-lee|stephen hawking|richard feynman|niels bohr
|galileo|copernicus|kepler|euler|gauss|neil armstrong|yuri gagarin
|amelia earhart|christopher columbus|marco polo|muhammad ali|pele|serena
williams|roger federer|usain bolt|charlie chaplin|alfred hitchcock|marilyn monroe"""
PLACES = """paris|london|berlin|rome|madrid|lisbon|vienna|prague|warsaw|moscow
|athens|istanbul|cairo|nairobi|lagos|cape town|dubai|mumbai|delhi|bangkok
|singapore|jakarta|manila|tokyo|osaka|seoul|beijing|shanghai|hong kong|sydney
|melbourne|auckland|new york|boston|chicago|los angeles|san francisco|seattle
|miami|toronto|montreal|vancouver|mexico city|havana|bogota|lima|santiago
|buenos aires|rio de janeiro|france|germany|italy|spain|portugal|poland|sweden
|norway|finland|denmark|iceland|ireland|scotland|greece|turkey|egypt|morocco
|kenya|nigeria|south africa|india|china|japan|korea|vietnam|thailand|indonesia
|australia|new zealand|canada|brazil|argentina|chile|peru|colombia|mexico
|switzerland|austria|belgium|the netherlands|ukraine|russia|iran|israel"""
THINGS = """password|account|subscription|email address|phone number|credit card
|shipping address|order|invoice|refund|delivery|package|profile picture|username
|notification|newsletter|two-factor authentication|api key|access token|license
|plan|billing address|payment method|receipt|coupon|gift card|membership|ticket
|reservation|flight|hotel booking|seat|luggage|insurance|warranty|claim|loan
|tax return|pension|bank account|transfer|direct debit|pin|sim card|contract
|data plan|router|wifi|printer|laptop|screen|keyboard|battery|camera|phone
|tablet|headphones|smart watch|television|washing machine|dishwasher|fridge
|oven|heating|bike|car|tyre|engine|driving licence|passport|visa|appointment
|prescription|test result|medical record|school|course|exam|homework|essay|cv
|cover letter|job application|interview|salary|holiday|sick leave|contract
|team|project|meeting|calendar|document|folder|file|photo|video|backup|database
|table|column|row|server|container|cluster|branch|commit|repository|pull request
|test|build|deployment|log file|certificate|domain|dns record|firewall|port
|user|group|role|permission|queue|topic|bucket|volume|snapshot|variable
|function|class|list|dictionary|string|array|loop|thread|process|service"""
FOODS = """pancakes|lasagna|risotto|paella|sushi|ramen|pad thai|curry|chili
|tacos|guacamole|hummus|falafel|pizza|bread|sourdough|bagels|croissants
|cheesecake|brownies|apple pie|tiramisu|pudding|omelette|fried rice|soup|salad
|stew|meatballs|roast chicken|grilled salmon|mashed potatoes|pesto|gravy
|mayonnaise|ice cream|lemonade|coffee|green tea|hot chocolate|smoothie"""
ACTIONS = """sort a list|reverse a string|read a file line by line|parse json
|send an email|connect to a database|make an http request|copy a file
|rename a branch|merge two branches|undo the last commit|squash commits
|resize an image|convert a video|extract a zip file|install a package
|add a column|join two tables|count rows|group by month|find duplicates
|remove duplicates|format a date|round a number|generate a random number
|split a string|concatenate strings|check if a file exists|create a folder
|list all files|search for text in files|schedule a job|set an environment
variable|expose a port|mount a volume|roll back a deployment|scale a service
|renew a certificate|rotate the logs|limit the request rate|cache responses
|compress responses|redirect http to https|block an ip address|write a unit test
|mock a function|profile memory usage|measure execution time|catch an exception
|handle a timeout|retry a request|iterate over a dictionary|filter an array
|draw a chart|train a model|tune hyperparameters|clean a data set|scrape a
website|lose weight|sleep better|learn a language|save money|invest in stocks
|write a novel|run a marathon|quit smoking|grow tomatoes|train a dog|boil an egg
|tie a tie|change a tyre|remove a stain|paint a wall|fix a leaking tap
|unclog a drain|clean an oven|meditate|negotiate a salary|prepare for an interview
|start a business|register a company|file taxes|apply for a visa|rent a flat
|book a flight|pack a suitcase|meet new people|give a speech|play the guitar
|solve a quadratic equation|calculate a percentage|prove a theorem"""
TEXTS = """article|text|email|letter|paragraph|report|document|chapter|story
|poem|conversation|meeting notes|transcript|review|contract|paper|blog post
|press release|speech|code|log|error message|table|page|post|message|book
|novel|film|play|news|tutorial|manual|specification|ticket|thread"""
LANGUAGES = """english|french|german|spanish|italian|portuguese|dutch|polish
|russian|ukrainian|turkish|arabic|hebrew|hindi|chinese|japanese|korean|swedish
|danish|norwegian|finnish|greek|czech|hungarian|romanian|vietnamese|thai|latin"""
PROBLEMS = """segmentation fault|null pointer exception|out of memory error
|connection refused|permission denied|timeout|404 error|500 internal server
error|502 bad gateway|503 service unavailable|429 too many requests
|401 unauthorized|403 forbidden|certificate verify failed|module not found
|syntax error|type error|index out of range|key error|merge conflict
|detached head|disk full|high cpu usage|memory leak|slow query|deadlock detected
|blue screen|black screen|no sound|slow internet|battery drain|overheating
|paper jam|blinking red light|forgotten password|locked account|double charge
|missing package|damaged item|wrong size|late delivery|cancelled flight
|lost luggage|failed payment|declined card|spam|headache|back pain|sore throat
|fever|cough|insomnia|stress|anxiety|rash|toothache|nausea|dizziness"""

KINDS = {
    "software": SOFTWARE, "concept": CONCEPTS, "person": PEOPLE,
    "place": PLACES, "thing": THINGS, "food": FOODS, "action": ACTIONS,
    "text": TEXTS, "language": LANGUAGES, "problem": PROBLEMS,
}

# What people put before and after a question without asking anything else.
BEFORE = """hello,|hi there,|good morning,|excuse me,|sorry to bother you,
|just a short question:|one question:|I was wondering,|I am not sure,
|I'm a beginner,|my question is:|maybe you can help:|for my homework:
|I have been wondering for a while:|out of curiosity,|well,|okay,|actually,
|now tell me,|I can't figure this out:|quick one:|for a friend:|so"""
AFTER = """thanks|thank you|thanks in advance|please|please help|if possible
|in detail|briefly|step by step|in simple words|for beginners|any ideas?
|I appreciate it|as soon as possible|that would be great|exactly|again
|with an explanation|as an expert would"""


def choices(text):
    return [" ".join(choice.split()) for choice in text.split("|")]


# (kinds of the slots x and y, templates of one intent). "any" takes a topic
# of any kind, or words from the vocabulary.
GROUPS = [
    ("any", ["[what] {x}", "[tell] {x}", "{x}", "{x}?", "what does {x} mean",
             "what are {x}"]),
    ("concept", ["[what] {x}", "[what] a {x}", "[what] the {x}",
                 "[tell] {x}", "explain {x} in simple words",
                 "explain {x} like I'm five", "how does {x} work",
                 "{x} explained", "what does {x} mean",
                 "help me understand {x}", "I don't understand {x}"]),
    ("person", ["[who] {x}", "[who] {x}", "[tell] {x}",
                "what is {x} known for", "what is {x} famous for"]),
    ("person", ["when was {x} born", "what is the date of birth of {x}",
                "{x} birthday", "in what year was {x} born",
                "birth date of {x}", "what year was {x} born in"]),
    ("person", ["when did {x} die", "date of death of {x}",
                "in which year did {x} die", "what year did {x} pass away",
                "when was the death of {x}"]),
    ("person", ["where was {x} born", "birthplace of {x}",
                "in which city was {x} born", "what is {x}'s place of birth",
                "in what country was {x} born"]),
    ("person", ["what are the [best] works of {x}", "[list] works by {x}",
                "what did {x} create", "which works is {x} famous for"]),
    ("place", ["[tell] {x}", "[what] {x}", "what should I know about {x}",
               "facts about {x}"]),
    ("place", ["what is the population of {x}", "how many people live in {x}",
               "number of inhabitants of {x}", "how big is the population "
               "of {x}", "how many inhabitants does {x} have"]),
    ("place", ["what is the weather in {x}", "how is the weather in {x}",
               "weather forecast for {x}", "will it rain in {x}",
               "what's the weather like in {x} today"]),
    ("place", ["what can I do in {x}", "things to do in {x}",
               "[list] sights in {x}", "what to see in {x}",
               "[best] attractions in {x}", "what should I visit in {x}",
               "tourist attractions of {x}", "places worth seeing in {x}"]),
    ("place", ["what time is it in {x}", "current time in {x}",
               "what is the local time in {x}", "time now in {x}"]),
    ("place", ["what is the capital of {x}", "capital city of {x}",
               "which city is the capital of {x}", "{x}'s capital",
               "name the capital of {x}"]),
    ("place", ["what language is spoken in {x}", "official language of {x}",
               "which language do people speak in {x}"]),
    ("place", ["what currency is used in {x}", "the currency of {x}",
               "what money do they use in {x}", "{x} currency"]),
    ("place place", ["how far is it from {x} to {y}",
                     "distance between {x} and {y}",
                     "how many kilometres from {x} to {y}",
                     "what is the distance from {x} to {y}"]),
    ("place place", ["how do I get from {x} to {y}",
                     "[best] way to travel from {x} to {y}",
                     "cheap flights from {x} to {y}", "train from {x} to {y}",
                     "directions from {x} to {y}"]),
    ("thing", ["[please] [how] reset [my] {x}", "[my] {x} reset",
               "I need to reset [my] {x}", "I forgot [my] {x}"]),
    ("thing", ["[how] [change] [my] {x}", "I want to [change] [my] {x}",
               "[please] [change] [my] {x}", "[my] {x} needs to be changed"]),
    ("thing", ["[how] cancel [my] {x}", "I want to cancel [my] {x}",
               "cancel [my] {x} [please]", "[my] {x} cancellation",
               "I no longer want [my] {x}, cancel it"]),
    ("thing", ["[how] activate [my] {x}", "activation of [my] {x}",
               "[please] activate [my] {x}", "[how] enable [my] {x}",
               "turn on [my] {x}", "[how] switch on [my] {x}"]),
    ("thing", ["[how] deactivate [my] {x}", "[how] disable [my] {x}",
               "turn off [my] {x}", "[how] switch off [my] {x}",
               "[please] deactivate [my] {x}"]),
    ("thing", ["[how] [remove] [my] {x}", "I want to [remove] [my] {x}",
               "[please] [remove] [my] {x}", "[my] {x} removal"]),
    ("thing", ["[how] create a {x}", "[how] add a new {x}",
               "[how] set up a {x}", "[how] make a new {x}",
               "I need a new {x}", "creating a {x}", "[how] add a {x}"]),
    ("thing", ["[how] rename [my] {x}", "[how] change the name of [my] {x}",
               "give [my] {x} another name"]),
    ("thing", ["where is [my] {x}", "[how] track [my] {x}",
               "[my] {x} has not arrived", "what is the status of [my] {x}",
               "when will [my] {x} arrive", "I am waiting for [my] {x}",
               "[my] {x} status"]),
    ("thing", ["[my] {x} does not work", "[my] {x} is not working",
               "[my] {x} is broken", "[how] [fix] [my] {x}",
               "there is a problem with [my] {x}", "[my] {x} stopped working",
               "why is [my] {x} not working", "I have trouble with [my] {x}",
               "troubleshoot [my] {x}"]),
    ("thing", ["[cost]"]),
    ("software", ["[cost]", "is {x} free", "{x} pricing"]),
    ("thing", ["[how] [buy] a {x}", "where can I [buy] a {x}",
               "I want to [buy] a {x}", "where do they sell {x}"]),
    ("thing", ["[how] sell my {x}", "I want to sell my {x}",
               "where can I sell a {x}"]),
    ("thing", ["[how] [see] [my] {x}", "where do I find [my] {x}",
               "where can I [see] [my] {x}", "show me [my] {x}"]),
    ("thing", ["[how] share [my] {x}", "share [my] {x} with someone",
               "give others access to [my] {x}"]),
    ("thing", ["[how] back up [my] {x}", "make a backup of [my] {x}"]),
    ("thing", ["[how] restore [my] {x}", "recover [my] {x}",
               "get back [my] {x}"]),
    ("thing", ["[how] upgrade [my] {x}", "switch to a better {x}",
               "I would like a higher {x}"]),
    ("thing", ["[how] downgrade [my] {x}", "switch to a cheaper {x}",
               "I would like a lower {x}"]),
    ("software", ["[tell] {x}", "[what] {x}", "what is {x} used for",
                  "what is {x} good for", "what does {x} do",
                  "introduction to {x}"]),
    ("software", ["[how] install {x}", "{x} installation", "install {x}",
                  "[how] set up {x}", "installing {x} on my computer",
                  "{x} setup guide", "[how] get {x} on my machine"]),
    ("software", ["[how] uninstall {x}", "[remove] {x} from my computer",
                  "[how] remove {x} completely"]),
    ("software", ["[how] [start] {x}", "[start] {x}", "{x} startup"]),
    ("software", ["[how] [stop] {x}", "[stop] {x}"]),
    ("software", ["[how] restart {x}", "restart {x}"]),
    ("software", ["[how] update {x}", "upgrade {x} to the latest version",
                  "[how] get the newest version of {x}"]),
    ("software", ["[how] downgrade {x}", "go back to an older version of {x}"]),
    ("software", ["[how] configure {x}", "{x} configuration",
                  "change the settings of {x}", "where is the {x} config "
                  "file", "configuring {x}"]),
    ("software", ["[how] learn {x}", "[best] way to learn {x}",
                  "{x} tutorial for beginners", "good resources to learn {x}",
                  "where can I learn {x}", "I want to get started with {x}"]),
    ("software", ["what are the advantages of {x}", "benefits of {x}",
                  "why should I use {x}", "pros of {x}", "why use {x}"]),
    ("software", ["what are the disadvantages of {x}", "drawbacks of {x}",
                  "why should I not use {x}", "cons of {x}",
                  "downsides of {x}"]),
    ("software", ["what are alternatives to {x}", "something like {x}",
                  "what can I use instead of {x}", "tools similar to {x}"]),
    ("software", ["which version of {x} do I have", "check the {x} version",
                  "[how] find out the version of {x}", "{x} version"]),
    ("software software", ["[diff]", "[diff]", "should I use {x} or {y}",
                           "which is better, {x} or {y}"]),
    ("concept concept", ["[diff]", "[diff]"]),
    ("software software", ["[how] migrate from {x} to {y}",
                           "moving from {x} to {y}", "switch from {x} to {y}",
                           "port my {x} project to {y}"]),
    ("software software", ["[how] connect {x} to {y}", "use {x} with {y}",
                           "integrate {x} and {y}", "{x} {y} integration"]),
    ("action", ["[how] {x}", "[how] {x}?", "[please] {x}",
                "what is the easiest way to {x}", "tips to {x}",
                "guide to {x}", "explain how to {x}", "I need to {x}"]),
    ("action software", ["[how] {x} in {y}", "[how] {x} using {y}",
                         "{y}: {x}", "{y} code to {x}",
                         "[make] {y} code that can {x}",
                         "[please] [make] a {y} script to {x}",
                         "what's the {y} way to {x}", "{x} with {y}",
                         "example of how to {x} in {y}"]),
    ("problem", ["[how] [fix] {x}", "what causes {x}", "I get {x}",
                 "I have {x}, what should I do", "what to do about {x}",
                 "why do I get {x}", "solution for {x}", "help with {x}",
                 "what does {x} mean and how to [fix] it",
                 "[please] [fix] {x}"]),
    ("problem software", ["[how] [fix] {x} in {y}", "{y} {x}",
                          "{y} gives me {x}", "why do I get {x} in {y}",
                          "I am getting {x} when I use {y}",
                          "{x} error with {y}"]),
    ("food", ["[how] make {x}", "[how] cook {x}", "recipe for {x}",
              "{x} recipe", "give me a recipe for {x}",
              "how is {x} prepared", "what is a good recipe for {x}",
              "I want to prepare {x}"]),
    ("food", ["what ingredients do I need for {x}", "ingredients of {x}",
              "what goes into {x}", "what is {x} made of",
              "shopping list for {x}"]),
    ("food", ["how many calories are in {x}", "calories of {x}",
              "how much energy does {x} have", "{x} calorie count"]),
    ("food", ["how long does {x} take", "cooking time for {x}",
              "how long do I have to cook {x}"]),
    ("food", ["is {x} healthy", "is {x} good for you",
              "health benefits of {x}", "is it healthy to eat {x}"]),
    ("text", ["[sum] this {x}", "[sum] the following {x}",
              "[please] [sum] this {x}", "[sum] the {x} below"]),
    ("text", ["[please] proofread this {x}", "correct the grammar of this {x}",
              "check this {x} for mistakes", "fix the spelling in my {x}",
              "find errors in this {x}"]),
    ("text", ["[please] rewrite this {x}", "rephrase this {x}",
              "reword this {x}", "paraphrase the following {x}",
              "say this {x} in other words"]),
    ("text", ["make this {x} more formal", "rewrite this {x} in a formal tone",
              "make my {x} sound more professional"]),
    ("text", ["make this {x} more casual", "make my {x} sound friendlier",
              "rewrite this {x} in an informal tone"]),
    ("text", ["make this {x} longer", "expand this {x}",
              "add more detail to this {x}", "elaborate on this {x}"]),
    ("text", ["make this {x} shorter", "shorten this {x}",
              "cut this {x} down", "trim this {x}"]),
    ("text any", ["[make] a [short] {x} about {y}", "[make] a {x} on {y}",
                  "[please] [make] a {x} about {y}",
                  "I need a {x} about {y}"]),
    ("text language", ["translate this {x} into {y}",
                       "[please] translate the following {x} to {y}",
                       "what is this {x} in {y}",
                       "give me the {y} translation of this {x}",
                       "put this {x} into {y}"]),
    ("any language", ["how do you say {x} in {y}",
                      "what is the {y} word for {x}", "{x} in {y}",
                      "translate {x} to {y}", "{y} translation of {x}",
                      "what is {x} called in {y}"]),
    ("concept", ["what are examples of {x}", "give me an example of {x}",
                 "[list] examples of {x}", "show an example of {x}"]),
    ("concept", ["who invented {x}", "who discovered {x}", "inventor of {x}",
                 "who came up with {x}"]),
    ("concept", ["when was {x} invented", "when was {x} discovered",
                 "in what year was {x} discovered"]),
    ("concept", ["why is {x} important", "importance of {x}",
                 "why does {x} matter", "what is the significance of {x}"]),
    ("concept", ["what causes {x}", "what are the causes of {x}",
                 "why does {x} happen", "how does {x} come about",
                 "reasons for {x}"]),
    ("concept", ["what are the effects of {x}", "consequences of {x}",
                 "what happens because of {x}", "impact of {x}"]),
    ("concept", ["what are the advantages of {x}", "benefits of {x}"]),
    ("concept", ["what are the disadvantages of {x}", "drawbacks of {x}"]),
    ("any", ["what is the history of {x}", "history of {x}",
             "how did {x} begin", "origin of {x}", "where does {x} come from",
             "how did {x} develop"]),
    ("any", ["give me a joke about {x}", "tell me a joke about {x}",
             "tell me something funny about {x}", "joke about {x}"]),
    ("any", ["[best] books about {x}", "recommend a book on {x}",
             "what should I read about {x}", "good books on {x}"]),
    ("any", ["what do you think of {x}", "your opinion on {x}",
             "do you like {x}", "is {x} good"]),
    ("any", ["is it safe to use {x}", "is {x} dangerous",
             "risks of {x}", "is {x} harmful", "is {x} safe"]),
    ("thing", ["what are the opening hours of {x}", "when does {x} open",
               "when is {x} open", "opening times of {x}"]),
    ("thing", ["when does {x} close", "closing time of {x}",
               "until when is {x} open"]),
    ("any", ["who are you", "what are you", "what is your name",
             "introduce yourself", "tell me about yourself"]),
    ("any", ["what can you do", "what can you help me with",
             "how can you help me", "what are your capabilities"]),
    ("any", ["I want to talk to a human", "connect me to an agent",
             "can I speak to a real person", "transfer me to support",
             "let me speak with somebody from support"]),
    ("any", ["[why]"]),
    ("any any", ["[diff]"]),
    ("any any", ["how many {x} are in a {y}", "number of {x} in a {y}",
                 "how many {x} does a {y} have", "count of {x} per {y}"]),
    ("any any", ["convert {x} to {y}", "change {x} into {y}",
                 "how to turn {x} into {y}", "{x} to {y} conversion"]),
    ("any any", ["{x} for {y}", "does {x} help with {y}",
                 "use of {x} for {y}"]),
    ("any any", ["I have {x} and {y}, what now", "{x} and {y}",
                 "what do {x} and {y} have in common"]),
]


class Corpus:
    """Draws sentences; `words` are whole words of the vocabulary."""

    def __init__(self, words, seed=7):
        self.random = random.Random(seed)
        self.words = words
        self.topics = {kind: choices(text) for kind, text in KINDS.items()}
        self.before = choices(BEFORE)
        self.after = choices(AFTER)
        self.kinds = list(KINDS)

    def topic(self, kind):
        roll = self.random.random()
        if kind == "any":
            if roll < 0.6:
                return " ".join(self.random.choices(
                    self.words, k=self.random.choice((1, 1, 1, 2, 2, 3))))
            kind = self.random.choice(self.kinds)
        elif roll < 0.25:
            # Rare words in all slots, so that every row is fitted.
            return self.random.choice(self.words)
        return self.random.choice(self.topics[kind])

    def fill(self, template, slots):
        # Wordings may hold slots, never further wordings.
        while "[" in template:
            before, _, rest = template.partition("[")
            name, _, after = rest.partition("]")
            template = before + self.random.choice(WORDINGS[name]) + after
        for slot, topic in zip("xy", slots):
            template = template.replace("{" + slot + "}", topic)
        roll = self.random.random()
        if roll < 0.12:
            template = self.random.choice(self.before) + " " + template
        elif roll < 0.24:
            template += " " + self.random.choice(self.after)
        return " ".join(template.split())

    def draw(self, count, wordings=3):
        """count intents, each a list of up to `wordings` sentences."""
        for index in range(count):
            kinds, templates = GROUPS[index % len(GROUPS)]
            slots = [self.topic(kind) for kind in kinds.split()]
            yield sorted({self.fill(self.random.choice(templates), slots)
                          for _ in range(wordings)})
