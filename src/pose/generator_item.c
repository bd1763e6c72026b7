/* What a generator calls a question, checked part by part: see generator_item.h. Models leave parts out, call them
 * otherwise, give references that are none of their choices, and write the answer into the question; every such item is
 * refused under its own reason, because how often each happens says how much a generator is worth.
 *
 * Pure functions of the parsed reply and the arena, any thread. */
#include "pose/generator_item.h"

#include <string.h>

#include "judge/answer_text.h"
#include "judge/number.h"
#include "judge/stated.h"
#include "pose/question_fields.h"

#define GIVEN_AWAY_BYTES                                                                           \
    5 /* of a reference at least, that its mere words in the question give it away */

struct item {
    const struct generator_want *want;
    struct question_fields fields;
    struct arena *arena;
    struct posed posed;
    enum drop_reason reason;
    struct error *err;
};

static enum status refuse(struct item *it, enum drop_reason reason, const char *why)
{
    it->reason = reason;
    return error_set(it->err, ERR_INPUT, "%s", why);
}

static enum status field_read(struct item *it, struct json_value v, const char *name,
                              struct str *ret)
{
    enum status status = question_field_text(v, it->arena, ret);
    if (status == ERR_MEMORY)
        return error_set(it->err, ERR_MEMORY, "out of memory for questions");
    if (status == OK)
        return OK;
    it->reason = DROP_FIELD_WRONG;
    return error_set(it->err, ERR_INPUT, "\"%s\" is no text", name);
}

/* Text, kind and level */

static enum status text_read(struct item *it)
{
    struct str *text = &it->posed.query.text;
    enum status status = field_read(it, it->fields.text, "question", text);
    if (status != OK)
        return status;
    if (text->len == 0)
        return refuse(it, DROP_FIELD_MISSING, "there is no \"question\"");
    if (text->len > POSED_TEXT_BYTES_MAX)
        return refuse(it, DROP_TOO_LONG, "the question is too long");
    return OK;
}

/* Where the kind is not said, the choices and the reference say it. */
static enum status kind_read(struct item *it)
{
    struct str name;
    enum status status = field_read(it, it->fields.kind, "kind", &name);
    if (status != OK)
        return status;
    if (name.len == 0)
        it->posed.kind = posed_kind_of(&it->posed.query);
    else if (!posed_kind_read(name, &it->posed.kind))
        return refuse(it, DROP_FIELD_WRONG, "\"kind\" is none of those asked for");
    if (it->posed.kind == POSED_CHOICE && it->posed.query.choice_count == 0)
        return refuse(it, DROP_FIELD_MISSING, "there are no \"choices\"");
    if (it->posed.query.choice_count > 0)
        it->posed.kind = POSED_CHOICE;
    if (!(it->want->kinds & 1u << it->posed.kind))
        return refuse(it, DROP_FIELD_WRONG, "\"kind\" is none of those asked for");
    return OK;
}

static enum status place_read(struct item *it)
{
    struct str level, domain;
    enum status status = field_read(it, it->fields.level, "difficulty", &level);
    if (status == OK)
        status = field_read(it, it->fields.domain, "domain", &domain);
    if (status == OK)
        status = field_read(it, it->fields.rationale, "rationale", &it->posed.rationale);
    if (status != OK)
        return status;
    if (domain.len > POSED_DOMAIN_BYTES_MAX && it->want->domain.len == 0)
        return refuse(it, DROP_TOO_LONG, "the domain is too long");
    it->posed.level = posed_level_read(level);
    if (it->posed.level == 0)
        it->posed.level = it->want->level;
    it->posed.query.domain = it->want->domain.len > 0 ? it->want->domain : domain;
    it->posed.rationale = utf8_cut(it->posed.rationale, POSED_REASONS_BYTES_MAX);
    return OK;
}

/* Choices and reference */

static enum status choices_read(struct item *it)
{
    struct query *q = &it->posed.query;
    if (!json_is_set(it->fields.choices) ||
        (it->fields.choices.type == JSON_ARRAY && !json_is_filled(it->fields.choices)))
        return OK;
    enum status status = question_field_choices(it->fields.choices, true, it->arena, q);
    if (status == ERR_MEMORY)
        return error_set(it->err, ERR_MEMORY, "out of memory for questions");
    if (status != OK)
        return refuse(it, DROP_CHOICES, "the choices are not two to 26 different texts");
    for (uint32_t i = 0; i < q->choice_count; i++)
        if (q->choices[i].len > POSED_CHOICE_BYTES_MAX)
            return refuse(it, DROP_TOO_LONG, "a choice is too long");
    return OK;
}

static enum status reference_read(struct item *it)
{
    struct query *q = &it->posed.query;
    enum status status = field_read(it, it->fields.reference, "reference", &q->answer);
    if (status != OK)
        return status;
    return q->answer.len > 0 ? OK : refuse(it, DROP_FIELD_MISSING, "there is no \"reference\"");
}

static enum status reference_check(struct item *it)
{
    struct query *q = &it->posed.query;
    struct judge_number number;
    size_t most = it->posed.kind == POSED_OPEN ? POSED_OPEN_BYTES_MAX : POSED_ANSWER_BYTES_MAX;
    if (it->posed.kind == POSED_CHOICE)
        return posed_choice_letter(q)
                   ? OK
                   : refuse(it, DROP_NOT_A_CHOICE, "the reference is not among the choices");
    if (it->posed.kind == POSED_NUMBER && !judge_number_read(q->answer, &number))
        return refuse(it, DROP_NO_NUMBER, "the reference is no number");
    return q->answer.len <= most ? OK : refuse(it, DROP_TOO_LONG, "the reference is too long");
}

/* What gives the answer away */

static bool in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* Whether the text has these words, both normalised, not as a part of others. */
static bool has_words(struct str text, struct str words)
{
    for (size_t at = str_find(text, words, 0); at != SIZE_MAX; at = str_find(text, words, at + 1)) {
        size_t end = at + words.len;
        if ((at == 0 || !in_word(text.ptr[at - 1])) && (end == text.len || !in_word(text.ptr[end])))
            return true;
    }
    return false;
}

/* A short reference whose very words are in the question, unless the question offers them among others ("is it A or
 * B?"). Numbers turn up by chance and are left to `states`. */
static bool has_reference(const struct posed *p)
{
    struct buf text, words;
    buf_init(&text, 2 * POSED_TEXT_BYTES_MAX);
    buf_init(&words, 2 * POSED_TEXT_BYTES_MAX);
    text_normalize(p->query.text, &text);
    text_normalize(p->query.answer, &words);
    bool offered = has_words(buf_str(&text), STR("or"));
    bool given =
        words.len >= GIVEN_AWAY_BYTES && !offered && has_words(buf_str(&text), buf_str(&words));
    buf_done(&text);
    buf_done(&words);
    return given;
}

/* "... (answer: 42)" */
static bool states(const struct posed *p)
{
    struct str stated;
    return stated_read(p->query.text, &stated) && judge_answers_agree(stated, p->query.answer);
}

static bool is_marked(struct str choice)
{
    return str_ends(choice, STR("(correct)")) || str_ends(choice, STR("(right)")) ||
           str_ends(choice, STR("(Correct)"));
}

static bool is_given_away(const struct posed *p)
{
    for (uint32_t i = 0; i < p->query.choice_count; i++)
        if (is_marked(p->query.choices[i]))
            return true;
    return states(p) || (p->kind == POSED_SHORT && has_reference(p));
}

/* Items */

bool generator_item_is(struct json_value object)
{
    struct question_fields f;
    question_fields_find(object, &f);
    return json_is_set(f.text) || json_is_set(f.reference) || json_is_set(f.choices);
}

struct str generator_item_text(struct json_value object, struct arena *a)
{
    struct question_fields f;
    struct str text;
    question_fields_find(object, &f);
    if (question_field_text(f.text, a, &text) != OK || text.len == 0)
        return object.raw;
    return text;
}

/* Every part in its turn; the first that is wrong says the reason. */
enum status generator_item_read(struct json_value object, const struct generator_want *want,
                                struct arena *a, struct posed *ret, enum drop_reason *ret_reason,
                                struct error *err)
{
    struct item it = {.want = want, .arena = a, .err = err, .posed.source = POSED_GENERATED};
    question_fields_find(object, &it.fields);
    enum status status = text_read(&it);
    if (status == OK)
        status = choices_read(&it);
    if (status == OK)
        status = reference_read(&it);
    if (status == OK)
        status = kind_read(&it);
    if (status == OK)
        status = place_read(&it);
    if (status == OK)
        status = reference_check(&it);
    if (status == OK && is_given_away(&it.posed))
        status = refuse(&it, DROP_GIVEN_AWAY, "the question gives its answer away");
    if (status == OK)
        status = posed_finish(&it.posed.query, a, err);
    if (status == OK)
        *ret = it.posed;
    else if (status == ERR_INPUT)
        *ret_reason = it.reason;
    return status;
}
