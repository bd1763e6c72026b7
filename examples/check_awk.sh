#!/bin/sh
# A check of answers for `verify: {command: [sh, check_awk.sh]}`: does the awk program of an answer pass its tests?
#
# The question brings the tests in a fence called `tests`: lines that begin with "< " are read by the program, lines that
# begin with "> " are what it has to print, and an empty line stands between two tests. The answer has the program in a
# fence called `awk`. Each test runs it in a process of its own, with limits of its own on time and output. What is
# printed first is why; exit code 0 passes, 1 rejects, and 2 says that this check has nothing to say.

# Reads the document, puts the program and what each test reads into the folder of this run, and prints how many tests
# there are, whether there is a program, and what each test has to print.
splitting='
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
{
    rest = $0
    if (!sub(/^[{]"question":"/, "", rest))
        exit 3
    question = string()
    if (!sub(/^,"answer":"/, "", rest))
        exit 3
    code = fence("awk", string())
    tests(fence("tests", question))
    printf "%s", code > "program.awk"
    print total + 0, (code == "" ? 0 : 1)
    for (i = 1; i <= total; i++) {
        printf "%s", input[i] > (i ".in")
        count = split(output[i], lines, "\n") - 1
        for (n = 1; n <= count; n++)
            print i " " lines[n]
    }
}'

# What the program has printed, against what the first tests had to print.
comparing='
function quoted(line) {
    return length(line) > 40 ? "\"" substr(line, 1, 40) "...\"" : "\"" line "\""
}
function verdict(text) {
    print text
    exit 1
}
NR == 1 {
    total = $1
    next
}
{
    at = index($0, " ")
    test = substr($0, 1, at - 1)
    wanted[test, ++count[test]] = substr($0, at + 1)
}
END {
    for (i = 1; i <= ran; i++) {
        where = "test " i " of " total ": "
        for (n = 1; (getline got < (i ".got")) > 0; n++) {
            if (n > count[i])
                verdict(where "prints " quoted(got) " beyond its end")
            if (got != wanted[i, n])
                verdict(where "line " n " is " quoted(got) ", not " quoted(wanted[i, n]))
        }
        if (n <= count[i])
            verdict(where "line " n " is missing, " quoted(wanted[i, n]))
    }
}'

plan=$(awk "$splitting") || { echo "this is no document of a check"; exit 2; }
counts=${plan%%
*}
total=${counts% *}
[ "$total" -gt 0 ] || { echo "the question brings no tests"; exit 2; }
[ "${counts#* }" = 1 ] || { echo "the answer has no fence called awk"; exit 1; }

# Of each process from here on: one second of processor time, and 64 KiB of output.
# shellcheck disable=SC3045 # -t is in dash, bash and busybox
ulimit -t 1
ulimit -f 128
ran=0
code=0
while [ "$ran" -lt "$total" ] && [ "$code" = 0 ]; do
    next=$((ran + 1))
    awk -f program.awk <$next.in >$next.got 2>/dev/null
    code=$?
    [ "$code" != 0 ] || ran=$next
done
awk -v ran="$ran" "$comparing" <<END || exit 1
$plan
END
case $code in
0) echo "all $total tests pass" ;;
137 | 152) echo "test $next of $total: no end after 1 s of processor time" ;;
153) echo "test $next of $total: prints more than 64 KiB" ;;
*) echo "test $next of $total: awk ends with exit code $code" ;;
esac
[ "$code" = 0 ]
