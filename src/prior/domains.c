/* Domains of the data sets that the base model is made from, in few groups: see domains.h. The table is written by
 * hand, after the fourteen categories of MMLU-Pro (Wang et al. 2024) and those of MMLU (Hendrycks et al. 2021). The two
 * ask about the same fields, but of unlike answers: MMLU-Pro's are reasoned out, MMLU's are one letter at once, which
 * makes mathematics hard for those who could do it. So they share no group. */
#include "prior/domains.h"

#include <stdint.h>

enum group {
    REASONED_MATH,
    REASONED_SCIENCE,
    REASONED_LIFE,
    REASONED_LAW,
    REASONED_HUMANITIES,
    REASONED_PEOPLE,
    REASONED_BUSINESS,
    LETTER_SCIENCE,
    LETTER_LIFE,
    LETTER_LAW,
    LETTER_HUMANITIES,
    LETTER_PEOPLE,
    TOOLS,
    CODE
};

const char *const domain_group_names[DOMAIN_GROUPS] = {
    [REASONED_MATH] = "mathematics, reasoned",
    [REASONED_SCIENCE] = "science, reasoned",
    [REASONED_LIFE] = "life, reasoned",
    [REASONED_LAW] = "law, reasoned",
    [REASONED_HUMANITIES] = "humanities, reasoned",
    [REASONED_PEOPLE] = "people, reasoned",
    [REASONED_BUSINESS] = "business, reasoned",
    [LETTER_SCIENCE] = "science, a letter",
    [LETTER_LIFE] = "life, a letter",
    [LETTER_LAW] = "law and morals, a letter",
    [LETTER_HUMANITIES] = "humanities, a letter",
    [LETTER_PEOPLE] = "people and business, a letter",
    [TOOLS] = "tools",
    [CODE] = "code",
};

/* Domains apart by commas. */
static const struct {
    const char *task, *domains;
    enum group group;
} rows[] = {
    {"mmlu_pro", "math", REASONED_MATH},
    {"mmlu_pro", "physics,chemistry,engineering", REASONED_SCIENCE},
    {"mmlu_pro", "biology,health", REASONED_LIFE},
    {"mmlu_pro", "law", REASONED_LAW},
    {"mmlu_pro", "history,philosophy", REASONED_HUMANITIES},
    {"mmlu_pro", "psychology,other", REASONED_PEOPLE},
    {"mmlu_pro", "business,economics,computer science", REASONED_BUSINESS},
    {"mmlu",
     "abstract_algebra,astronomy,college_chemistry,college_computer_science,college_mathematics,"
     "college_physics,computer_security,conceptual_physics,econometrics,electrical_engineering,"
     "elementary_mathematics,formal_logic,high_school_chemistry,high_school_computer_science,"
     "high_school_mathematics,high_school_physics,high_school_statistics,machine_learning",
     LETTER_SCIENCE},
    {"mmlu",
     "anatomy,clinical_knowledge,college_biology,college_medicine,high_school_biology,human_aging,"
     "medical_genetics,nutrition,professional_medicine,virology",
     LETTER_LIFE},
    {"mmlu", "international_law,jurisprudence,moral_scenarios,professional_law", LETTER_LAW},
    {"mmlu",
     "global_facts,high_school_european_history,high_school_geography,"
     "high_school_government_and_politics,high_school_us_history,high_school_world_history,"
     "logical_fallacies,miscellaneous,moral_disputes,philosophy,prehistory,security_studies,"
     "us_foreign_policy,world_religions",
     LETTER_HUMANITIES},
    {"mmlu",
     "business_ethics,high_school_macroeconomics,high_school_microeconomics,"
     "high_school_psychology,human_sexuality,management,marketing,professional_accounting,"
     "professional_psychology,public_relations,sociology",
     LETTER_PEOPLE},
    {"",
     "executable_multiple_function,executable_parallel_function,"
     "executable_parallel_multiple_function,executable_simple,java,javascript,multiple_function,"
     "parallel_function,parallel_multiple_function,relevance,rest,simple",
     TOOLS},
    {"easy", "codeforces,leetcode,atcoder", CODE},
    {"medium", "codeforces,leetcode,atcoder", CODE},
    {"hard", "codeforces,leetcode,atcoder", CODE},
};

size_t domain_group(struct str task, struct str domain)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str rest = str_from(rows[i].domains);
        if (!str_equal(task, str_from(rows[i].task)))
            continue;
        while (rest.len)
            if (str_equal(domain, str_split(&rest, ',')))
                return rows[i].group;
    }
    return SIZE_MAX;
}
