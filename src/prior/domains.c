/* Domains of the data sets that the base model is made from, in few groups: see domains.h. The table is written by
 * hand, after MMLU's own categories (Hendrycks et al. 2021) and the fourteen of MMLU-Pro (Wang et al. 2024), for the
 * two ask about the same fields. */
#include "prior/domains.h"

#include <stdint.h>

enum group {
    MATH,
    PHYSICS,
    LIFE,
    LAW,
    HISTORY,
    PHILOSOPHY,
    PSYCHOLOGY,
    BUSINESS,
    COMPUTING,
    OTHER,
    TOOLS,
    CODE
};

const char *const domain_group_names[DOMAIN_GROUPS] = {
    [MATH] = "mathematics",
    [PHYSICS] = "physics",
    [LIFE] = "life",
    [LAW] = "law",
    [HISTORY] = "history",
    [PHILOSOPHY] = "philosophy",
    [PSYCHOLOGY] = "psychology",
    [BUSINESS] = "business",
    [COMPUTING] = "computing",
    [OTHER] = "other",
    [TOOLS] = "tools",
    [CODE] = "code",
};

static const struct {
    const char *domain;
    enum group group;
} rows[] = {
    {"math", MATH},
    {"abstract_algebra", MATH},
    {"college_mathematics", MATH},
    {"elementary_mathematics", MATH},
    {"high_school_mathematics", MATH},
    {"high_school_statistics", MATH},
    {"formal_logic", MATH},
    {"physics", PHYSICS},
    {"engineering", PHYSICS},
    {"chemistry", PHYSICS},
    {"astronomy", PHYSICS},
    {"college_chemistry", PHYSICS},
    {"college_physics", PHYSICS},
    {"conceptual_physics", PHYSICS},
    {"electrical_engineering", PHYSICS},
    {"high_school_chemistry", PHYSICS},
    {"high_school_physics", PHYSICS},
    {"biology", LIFE},
    {"health", LIFE},
    {"anatomy", LIFE},
    {"clinical_knowledge", LIFE},
    {"college_biology", LIFE},
    {"college_medicine", LIFE},
    {"high_school_biology", LIFE},
    {"human_aging", LIFE},
    {"medical_genetics", LIFE},
    {"nutrition", LIFE},
    {"professional_medicine", LIFE},
    {"virology", LIFE},
    {"law", LAW},
    {"international_law", LAW},
    {"jurisprudence", LAW},
    {"professional_law", LAW},
    {"history", HISTORY},
    {"high_school_european_history", HISTORY},
    {"high_school_us_history", HISTORY},
    {"high_school_world_history", HISTORY},
    {"prehistory", HISTORY},
    {"high_school_geography", HISTORY},
    {"high_school_government_and_politics", HISTORY},
    {"us_foreign_policy", HISTORY},
    {"security_studies", HISTORY},
    {"philosophy", PHILOSOPHY},
    {"logical_fallacies", PHILOSOPHY},
    {"moral_disputes", PHILOSOPHY},
    {"moral_scenarios", PHILOSOPHY},
    {"world_religions", PHILOSOPHY},
    {"psychology", PSYCHOLOGY},
    {"high_school_psychology", PSYCHOLOGY},
    {"professional_psychology", PSYCHOLOGY},
    {"human_sexuality", PSYCHOLOGY},
    {"sociology", PSYCHOLOGY},
    {"business", BUSINESS},
    {"economics", BUSINESS},
    {"business_ethics", BUSINESS},
    {"econometrics", BUSINESS},
    {"high_school_macroeconomics", BUSINESS},
    {"high_school_microeconomics", BUSINESS},
    {"management", BUSINESS},
    {"marketing", BUSINESS},
    {"professional_accounting", BUSINESS},
    {"public_relations", BUSINESS},
    {"computer science", COMPUTING},
    {"college_computer_science", COMPUTING},
    {"computer_security", COMPUTING},
    {"high_school_computer_science", COMPUTING},
    {"machine_learning", COMPUTING},
    {"other", OTHER},
    {"global_facts", OTHER},
    {"miscellaneous", OTHER},
    {"codeforces", CODE},
    {"leetcode", CODE},
    {"atcoder", CODE},
    {"executable_multiple_function", TOOLS},
    {"executable_parallel_function", TOOLS},
    {"executable_parallel_multiple_function", TOOLS},
    {"executable_simple", TOOLS},
    {"java", TOOLS},
    {"javascript", TOOLS},
    {"multiple_function", TOOLS},
    {"parallel_function", TOOLS},
    {"parallel_multiple_function", TOOLS},
    {"relevance", TOOLS},
    {"rest", TOOLS},
    {"simple", TOOLS},
};

size_t domain_group(struct str domain)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_equal(domain, str_from(rows[i].domain)))
            return rows[i].group;
    return SIZE_MAX;
}
