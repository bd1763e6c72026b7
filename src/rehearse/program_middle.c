/* The families of programming tasks of the second level, a constant table: see program.h. Programs are POSIX awk, as
 * a person would write them. A bug is a mistake that some input shows; pose/coding_family.c sees to it that every task
 * has such an input for each of its family's bugs. The last program of a family never ends, or never stops printing.
 *
 * Order is of no matter, texts are: one that changes is another question to whoever has learnt from it. */
#include "rehearse/program_int.h"

const struct program_family program_middle_families[] = {
    {"runs",
     2,
     {"writes each run of @1 or more equal letters as the letter and its length, and other letters "
      "as they are",
      "shortens each line by writing a run of at least @1 equal letters as the letter followed by "
      "the length of the run"},
     "{\n"
     "  s = \"\"\n"
     "  n = length($0)\n"
     "  for (i = 1; i <= n; i = j) {\n"
     "    c = substr($0, i, 1)\n"
     "    for (j = i; j <= n && substr($0, j, 1) == c; j++) continue\n"
     "    k = j - i\n"
     "    if (k >= @1) s = s c k\n"
     "    else while (k-- > 0) s = s c\n"
     "  }\n"
     "  print s\n"
     "}",
     {"{\n"
      "  s = \"\"\n"
      "  n = length($0)\n"
      "  for (i = 1; i < n; i = j) {\n"
      "    c = substr($0, i, 1)\n"
      "    for (j = i; j <= n && substr($0, j, 1) == c; j++) continue\n"
      "    k = j - i\n"
      "    if (k >= @1) s = s c k\n"
      "    else while (k-- > 0) s = s c\n"
      "  }\n"
      "  print s\n"
      "}",
      "{\n"
      "  s = \"\"\n"
      "  n = length($0)\n"
      "  for (i = 1; i <= n; i = j) {\n"
      "    c = substr($0, i, 1)\n"
      "    for (j = i; j <= n && substr($0, j, 1) == c; j++) continue\n"
      "    k = j - i\n"
      "    if (k > @1) s = s c k\n"
      "    else while (k-- > 0) s = s c\n"
      "  }\n"
      "  print s\n"
      "}",
      "{\n"
      "  s = \"\"\n"
      "  n = length($0)\n"
      "  for (i = 1; i <= n; i = j) {\n"
      "    c = substr($0, i, 1)\n"
      "    for (j = i; j <= n && substr($0, j, 1) == c; j++) continue\n"
      "    k = j - i - 1\n"
      "    if (k >= @1) s = s c k\n"
      "    else while (k-- > 0) s = s c\n"
      "  }\n"
      "  print s\n"
      "}"},
     "{\n"
     "  s = \"\"\n"
     "  n = length($0)\n"
     "  for (i = 1; i <= n; ) {\n"
     "    c = substr($0, i, 1)\n"
     "    for (j = i; j <= n && substr($0, j, 1) == c; j++) continue\n"
     "    k = j - i\n"
     "    if (k >= @1) s = s c k\n"
     "    else while (k-- > 0) s = s c\n"
     "  }\n"
     "  print s\n"
     "}"},
    {"latest",
     2,
     {"prints after each number the sum of the last @1 numbers",
      "prints for each line the sum of the @1 latest numbers"},
     "{\n"
     "  v[NR] = $1\n"
     "  s += $1\n"
     "  if (NR > @1) s -= v[NR - @1]\n"
     "  print s\n"
     "}",
     {"{\n"
      "  v[NR] = $1\n"
      "  s += $1\n"
      "  if (NR > @1) s -= v[NR - @1 + 1]\n"
      "  print s\n"
      "}",
      "{\n"
      "  s += $1\n"
      "  print s\n"
      "}",
      "{\n"
      "  v[NR] = $1\n"
      "  s += $1\n"
      "  if (NR > @1) s -= v[NR - @1]\n"
      "  if (NR >= @1) print s\n"
      "}"},
     "{\n"
     "  v[NR] = $1\n"
     "  s = 0\n"
     "  i = NR\n"
     "  while (i > 0 && i > NR - @1) s += v[i]\n"
     "  print s\n"
     "}"},
    {"totals",
     2,
     {"adds up the numbers of each name and prints name and sum, in the order in which the names "
      "first come, of all sums above @1",
      "prints each name and the sum of its numbers where that is more than @1, in the order of "
      "first appearance"},
     "!($1 in s) { names[++n] = $1 }\n"
     "{ s[$1] += $2 }\n"
     "END {\n"
     "  for (i = 1; i <= n; i++)\n"
     "    if (s[names[i]] > @1) print names[i], s[names[i]]\n"
     "}",
     {"!($1 in s) { names[++n] = $1 }\n"
      "{ s[$1] += $2 }\n"
      "END {\n"
      "  for (i = 1; i <= n; i++)\n"
      "    if (s[names[i]] >= @1) print names[i], s[names[i]]\n"
      "}",
      "!($1 in s) { names[++n] = $1 }\n"
      "{ s[$1] = $2 }\n"
      "END {\n"
      "  for (i = 1; i <= n; i++)\n"
      "    if (s[names[i]] > @1) print names[i], s[names[i]]\n"
      "}",
      "!($1 in s) { names[++n] = $1 }\n"
      "{ s[$1] += $2 }\n"
      "END {\n"
      "  for (i = 1; i <= n; i++)\n"
      "    if (s[names[i]] > @1) print names[i] \": \" s[names[i]]\n"
      "}"},
     "!($1 in s) { names[++n] = $1 }\n"
     "{ s[$1] += $2 }\n"
     "END {\n"
     "  i = 1\n"
     "  while (i <= n)\n"
     "    if (s[names[i]] > @1) print names[i], s[names[i]]\n"
     "}"},
    {"divisor",
     2,
     {"prints the greatest common divisor of the first @1 numbers of each line",
      "finds for each line the largest number that divides its first @1 numbers"},
     "{\n"
     "  g = $1\n"
     "  for (i = 2; i <= @1; i++) {\n"
     "    a = g\n"
     "    b = $i\n"
     "    while (b > 0) { t = a % b; a = b; b = t }\n"
     "    g = a\n"
     "  }\n"
     "  print g\n"
     "}",
     {"{\n"
      "  g = $1\n"
      "  for (i = 2; i < @1; i++) {\n"
      "    a = g\n"
      "    b = $i\n"
      "    while (b > 0) { t = a % b; a = b; b = t }\n"
      "    g = a\n"
      "  }\n"
      "  print g\n"
      "}",
      "{\n"
      "  g = $1\n"
      "  for (i = 2; i <= @1; i++)\n"
      "    if ($i < g) g = $i\n"
      "  print g\n"
      "}",
      "{\n"
      "  g = $1\n"
      "  for (i = 2; i <= @1; i++) {\n"
      "    a = g\n"
      "    b = $i\n"
      "    while (b > 0) { t = a % b; a = b; b = t }\n"
      "    g = a\n"
      "  }\n"
      "  if (g > 1) print g\n"
      "}"},
     "{\n"
     "  g = $1\n"
     "  for (i = 2; i <= @1; i++) {\n"
     "    a = g\n"
     "    b = $i\n"
     "    while (b > 0) { t = a % b; a = b }\n"
     "    g = a\n"
     "  }\n"
     "  print g\n"
     "}"},
    {"shift",
     2,
     {"moves each small letter @1 places on in the alphabet, with a behind z, and leaves all else "
      "as it is",
      "shifts small letters by @1 in the alphabet, from z on to a, and prints everything else "
      "unchanged"},
     "{\n"
     "  a = \"abcdefghijklmnopqrstuvwxyz\"\n"
     "  s = \"\"\n"
     "  for (i = 1; i <= length($0); i++) {\n"
     "    c = substr($0, i, 1)\n"
     "    p = index(a, c)\n"
     "    if (p) c = substr(a, (p - 1 + @1) % 26 + 1, 1)\n"
     "    s = s c\n"
     "  }\n"
     "  print s\n"
     "}",
     {"{\n"
      "  a = \"abcdefghijklmnopqrstuvwxyz\"\n"
      "  s = \"\"\n"
      "  for (i = 1; i <= length($0); i++) {\n"
      "    c = substr($0, i, 1)\n"
      "    p = index(a, c)\n"
      "    if (p) c = substr(a, p + @1, 1)\n"
      "    s = s c\n"
      "  }\n"
      "  print s\n"
      "}",
      "{\n"
      "  a = \"abcdefghijklmnopqrstuvwxyz\"\n"
      "  s = \"\"\n"
      "  for (i = 1; i <= length($0); i++) {\n"
      "    c = substr($0, i, 1)\n"
      "    p = index(a, c)\n"
      "    if (p) c = substr(a, (p + @1) % 26 + 1, 1)\n"
      "    s = s c\n"
      "  }\n"
      "  print s\n"
      "}",
      "{\n"
      "  a = \"abcdefghijklmnopqrstuvwxyz\"\n"
      "  s = \"\"\n"
      "  for (i = 1; i <= length($0); i++) {\n"
      "    c = substr($0, i, 1)\n"
      "    p = index(a, c)\n"
      "    if (p) c = substr(a, (p - 1 + @1) % 26 + 1, 1)\n"
      "    if (p) s = s c\n"
      "  }\n"
      "  print s\n"
      "}"},
     "{\n"
     "  a = \"abcdefghijklmnopqrstuvwxyz\"\n"
     "  s = \"\"\n"
     "  i = 1\n"
     "  while (i <= length($0)) {\n"
     "    c = substr($0, i, 1)\n"
     "    p = index(a, c)\n"
     "    if (p) c = substr(a, (p - 1 + @1) % 26 + 1, 1)\n"
     "    s = s c\n"
     "  }\n"
     "  print s\n"
     "}"},
};

const size_t program_middle_family_count =
    sizeof(program_middle_families) / sizeof(program_middle_families[0]);
