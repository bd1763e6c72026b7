/* The families of programming tasks of the first level, a constant table: see program.h. Programs are POSIX awk, as
 * a person would write them. A bug is a mistake that some input shows; pose/coding_family.c sees to it that every task
 * has such an input for each of its family's bugs. The last program of a family never ends, or never stops printing.
 *
 * Order is of no matter, texts are: one that changes is another question to whoever has learnt from it. */
#include "rehearse/program_int.h"

const struct program_family program_simple_families[] = {
    {"sum",
     1,
     {"prints the sum of column @1 of all lines",
      "adds up the numbers in column @1 and prints the total"},
     "{ s += $@1 }\n"
     "END { print s + 0 }",
     {"{ s += $(@1 + 1) }\n"
      "END { print s + 0 }",
      "NR > 1 { s += $@1 }\n"
      "END { print s + 0 }",
      "{ s += $@1 }\n"
      "END { print s }"},
     "{\n"
     "  i = 1\n"
     "  while (i <= NF)\n"
     "    if (i == @1) s += $i\n"
     "}\n"
     "END { print s + 0 }"},
    {"lines_with",
     1,
     {"prints how many lines contain the word @1",
      "counts the lines in which the word @1 occurs and prints their number"},
     "{\n"
     "  for (i = 1; i <= NF; i++)\n"
     "    if ($i == \"@1\") { n++; break }\n"
     "}\n"
     "END { print n + 0 }",
     {"/@1/ { n++ }\n"
      "END { print n + 0 }",
      "{\n"
      "  for (i = 1; i <= NF; i++)\n"
      "    if ($i == \"@1\") n++\n"
      "}\n"
      "END { print n + 0 }",
      "{\n"
      "  for (i = 1; i <= NF; i++)\n"
      "    if ($i == \"@1\") { n++; break }\n"
      "}\n"
      "END { print n }"},
     "{\n"
     "  i = 1\n"
     "  while (i <= NF)\n"
     "    if ($i == \"@1\") { n++; break }\n"
     "}\n"
     "END { print n + 0 }"},
    {"columns",
     1,
     {"prints columns @1 and @2 of each line with a comma between them",
      "writes for each line its column @1, a comma, and its column @2"},
     "{ print $@1 \",\" $@2 }",
     {"{ print $@1 \", \" $@2 }", "{ print $@2 \",\" $@1 }",
      "NR > 1 { print before }\n"
      "{ before = $@1 \",\" $@2 }"},
     "{\n"
     "  do print $@1 \",\" $@2\n"
     "  while (NF > 0)\n"
     "}"},
    {"largest",
     1,
     {"prints the largest number in column @1",
      "finds the largest of the numbers in column @1 and prints it"},
     "NR == 1 || $@1 > m { m = $@1 }\n"
     "END { print m }",
     {"{ v = $@1 + 0 }\n"
      "v > m { m = v }\n"
      "END { print m + 0 }",
      "NR == 1 || ($@1 \"\") > (m \"\") { m = $@1 }\n"
      "END { print m }",
      "NR == 1 || $@1 < m { m = $@1 }\n"
      "END { print m }"},
     "{ v[NR] = $@1 }\n"
     "END {\n"
     "  m = v[1]\n"
     "  for (i = 2; i <= NR; )\n"
     "    if (v[i] > m) m = v[i]\n"
     "  print m\n"
     "}"},
    {"tail",
     1,
     {"prints the last @1 lines, the last one first",
      "prints the final @1 lines of its input in reverse order"},
     "{ l[NR] = $0 }\n"
     "END { for (i = NR; i > 0 && i > NR - @1; i--) print l[i] }",
     {"{ l[NR] = $0 }\n"
      "END { for (i = NR; i > 0 && i >= NR - @1; i--) print l[i] }",
      "{ l[NR] = $0 }\n"
      "END { for (i = NR; i > NR - @1; i--) print l[i] }",
      "{ l[NR] = $0 }\n"
      "END { for (i = NR - @1 + 1; i <= NR; i++) if (i > 0) print l[i] }"},
     "{ l[NR] = $0 }\n"
     "END {\n"
     "  i = NR\n"
     "  while (i > NR - @1) print l[i]\n"
     "}"},
    {"unique",
     1,
     {"prints each line whose column @1 has not come before",
      "keeps only the first of the lines that have the same column @1"},
     "!seen[$@1]++",
     {"$@1 != before { print }\n"
      "{ before = $@1 }",
      "!seen[$0]++", "seen[$@1]++"},
     "{\n"
     "  i = 1\n"
     "  while (i <= n)\n"
     "    if (seen[i] == $@1) next\n"
     "  seen[++n] = $@1\n"
     "  print\n"
     "}"},
};

const size_t program_simple_family_count =
    sizeof(program_simple_families) / sizeof(program_simple_families[0]);
