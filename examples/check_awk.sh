#!/bin/sh
# A check of answers for `verify: {command: [sh, check_awk.sh]}`: does the awk program of an answer pass its tests?
#
# The question brings the tests in a fence called `tests`: lines that begin with "< " are read by the program, lines that
# begin with "> " are what it has to print, and an empty line stands between two tests. The answer has the program in a
# fence called `awk`. Each test runs it in a process of its own, with limits of its own on time and output. What is
# printed first is why; exit code 0 passes, 1 rejects, and 2 says that this check has nothing to say.

document=$(cat)

# Strings of the JSON document, the lines of a fence, and the tests: shared by the two programs below.
reading='
function string(  out, sign) {
    while (match(rest, /["\\]/)) {
        out = out substr(rest, 1, RSTART - 1)
        sign = substr(rest, RSTART, 1)
        rest = substr(rest, RSTART + 1)
        if (sign == "\"")
            return out
        sign = substr(rest, 1, 1)
        rest = substr(rest, 2)
        if (sign == "n")
            out = out "\n"
        else if (sign == "t")
            out = out "\t"
        else if (sign == "u") {
            out = out "?"
            rest = substr(rest, 5)
        } else if (sign !~ /[rbf]/)
            out = out sign
    }
    exit 3
}
function fence(name, text,  lines, count, i, inside, out) {
    count = split(text, lines, "\n")
    for (i = 1; i <= count; i++)
        if (substr(lines[i], 1, 3) == "```")
            inside = lines[i] == "```" name
        else if (inside)
            out = out lines[i] "\n"
    return out
}
function tests(text,  lines, count, i, open) {
    total = 0
    count = split(text, lines, "\n")
    for (i = 1; i <= count; i++) {
        if (lines[i] == "") {
            open = 0
            continue
        }
        if (!open) {
            open = 1
            input[++total] = ""
            output[total] = ""
        }
        if (substr(lines[i], 1, 1) == "<")
            input[total] = input[total] substr(lines[i], 3) "\n"
        else
            output[total] = output[total] substr(lines[i], 3) "\n"
    }
}
function document(  question) {
    rest = $0
    if (!sub(/^[{]"question":"/, "", rest))
        exit 3
    question = string()
    if (!sub(/^,"answer":"/, "", rest))
        exit 3
    answer = string()
    tests(fence("tests", question))
}'

# Into the folder of this run: the program, and what each test reads. Says how many tests there are.
splitting='
{
    document()
    code = fence("awk", answer)
    printf "%s", code > "program.awk"
    for (i = 1; i <= total; i++)
        printf "%s", input[i] > (i ".in")
    print total, (code == "" ? 0 : 1)
}'

# What each test was to print, taken from the document again, against what the program has printed.
comparing='
function quoted(line) {
    return length(line) > 40 ? "\"" substr(line, 1, 40) "...\"" : "\"" line "\""
}
function verdict(text) {
    print text
    exit 1
}
{
    document()
    for (i = 1; i <= ran; i++) {
        name = i ".got"
        count = split(output[i], lines, "\n") - 1
        for (n = 1; (getline got < name) > 0; n++) {
            where = "test " i " of " total ": "
            if (n > count)
                verdict(where "prints " quoted(got) " beyond its end")
            if (got != lines[n])
                verdict(where "line " n " is " quoted(got) ", not " quoted(lines[n]))
        }
        close(name)
        if (n <= count)
            verdict("test " i " of " total ": line " n " is missing, " quoted(lines[n]))
    }
}'

counts=$(printf '%s\n' "$document" | awk "$reading$splitting") || { echo "this is no document of a check"; exit 2; }
total=${counts% *}
[ "$total" -gt 0 ] || { echo "the question brings no tests"; exit 2; }
[ "${counts#* }" = 1 ] || { echo "the answer has no fence called awk"; exit 1; }

ran=0
code=0
while [ "$ran" -lt "$total" ] && [ "$code" = 0 ]; do
    next=$((ran + 1))
    # shellcheck disable=SC3045 # -t is in dash, bash and busybox
    (ulimit -t 1; ulimit -f 128; exec awk -f program.awk <$next.in >$next.got 2>&1)
    code=$?
    [ "$code" != 0 ] || ran=$next
done
printf '%s\n' "$document" | awk -v ran="$ran" "$reading$comparing" || exit 1
case $code in
0) echo "all $total tests pass" ;;
137 | 152) echo "test $next of $total: no end after 1 s of processor time" ;;
153) echo "test $next of $total: prints more than 64 KiB" ;;
*) echo "test $next of $total: awk ends with exit code $code" ;;
esac
[ "$code" = 0 ]
