/* The names under which tables have what a data set needs. */
#include <stdio.h>

#include "data/table_int.h"

#define NAMES_MAX 10

static const struct {
    const char *names[NAMES_MAX + 1]; /* the most usual first; NULL ends them */
    const char *list;
} fields[TABLE_FIELDS] = {
    [TABLE_ID] = {{"id", "query_id", "question_id", "sample_id", "session_id", "prompt_id", "qid",
                   "uid", "index", NULL},
                  "id, query_id, question_id, sample_id, session_id"},
    [TABLE_MODEL] = {{"model", "model_name", "model_id", "generator", "expert", "llm", NULL},
                     "model, model_name, model_id, generator, expert"},
    [TABLE_TEXT] = {{"prompt", "text", "question", "query", "chat_history", "messages",
                     "instruction", "input", NULL},
                    "prompt, text, question, query, chat_history, messages"},
    [TABLE_SCORE] = {{"score", "correct", "is_correct", "performance", "accuracy", "acc", "solved",
                      "passed", "matched", "reward", NULL},
                     "score, correct, is_correct, performance, accuracy, solved, passed"},
    [TABLE_COST] = {{"cost_usd", "cost", "total_cost", "total_cost_usd", "usd", NULL},
                    "cost_usd, cost, total_cost"},
    [TABLE_INPUT_TOKENS] = {{"input_tokens", "prompt_tokens", "tokens_in", NULL},
                            "input_tokens, prompt_tokens"},
    [TABLE_OUTPUT_TOKENS] = {{"output_tokens", "completion_tokens", "tokens_out", NULL},
                             "output_tokens, completion_tokens"},
    [TABLE_ANSWER] = {{"reference", "correct_answer", "gold", "target", "ground_truth", "answer",
                       NULL},
                      "reference, correct_answer, answer"},
    [TABLE_DOMAIN] = {{"domain", "eval_name", "category", "subject", "task", "dataset", "benchmark",
                       NULL},
                      "domain, eval_name, category, subject, task"},
};

enum table_field table_field_of(struct str name, size_t *rank)
{
    for (enum table_field f = 0; f < TABLE_FIELDS; f++)
        for (size_t i = 0; fields[f].names[i]; i++)
            if (str_equal_nocase(name, str_from(fields[f].names[i]))) {
                *rank = i;
                return f;
            }
    return TABLE_FIELDS;
}

const char *table_field_names(enum table_field field)
{
    return fields[field].list;
}
