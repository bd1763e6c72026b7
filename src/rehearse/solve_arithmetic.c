/* Arithmetic from plain English: expressions with the usual precedence ("12 + 3 * (4 - 1)", "7 times 8", "100 mod 7")
 * and named forms ("the product of 12 and 9"). Values are exact fractions of 64-bit numbers; a question whose numbers
 * overflow is not understood.
 *
 * Pure functions on the stack, any thread. The recursion is bounded by EXPRESSION_DEPTH_MAX, because clients write the
 * questions. */
#include <stdio.h>
#include <stdlib.h>

#include "base/int128.h"
#include "rehearse/solve.h"

#define EXPRESSION_DEPTH_MAX 16
#define FRACTION_DIGITS      4

struct fraction {
    int64_t num, den; /* den > 0, lowest terms */
};

struct parser {
    const struct tokens *tokens;
    size_t at;
    unsigned depth;
    unsigned operators;
    unsigned digits; /* of the longest number met, results included */
    bool failed;
};

static unsigned count_digits(int64_t value)
{
    unsigned digits = 1;
    for (; value > 9 || value < -9; value /= 10)
        digits++;
    return digits;
}

static int128 gcd(int128 a, int128 b)
{
    while (b != 0) {
        int128 rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

/* num / den in lowest terms; marks the parser failed on overflow or a zero divisor. */
static struct fraction reduce(struct parser *p, int128 num, int128 den)
{
    if (den == 0) {
        p->failed = true;
        return (struct fraction){0, 1};
    }
    int128 common = gcd(num, den);
    if (den < 0)
        common = -common;
    num /= common;
    den /= common;
    if (num > TOKEN_NUMBER_MAX || num < -TOKEN_NUMBER_MAX || den > TOKEN_NUMBER_MAX) {
        p->failed = true;
        return (struct fraction){0, 1};
    }
    unsigned digits = count_digits((int64_t)num);
    if (digits > p->digits)
        p->digits = digits;
    return (struct fraction){(int64_t)num, (int64_t)den};
}

static struct fraction apply(struct parser *p, char op, struct fraction a, struct fraction b)
{
    p->operators++;
    switch (op) {
    case '+':
        return reduce(p, (int128)a.num * b.den + (int128)b.num * a.den, (int128)a.den * b.den);
    case '-':
        return reduce(p, (int128)a.num * b.den - (int128)b.num * a.den, (int128)a.den * b.den);
    case '*':
        return reduce(p, (int128)a.num * b.num, (int128)a.den * b.den);
    case '/':
        return reduce(p, (int128)a.num * b.den, (int128)a.den * b.num);
    default: { /* '%' of whole numbers; the result has the divisor's sign, as in Python */
        if (a.den != 1 || b.den != 1 || b.num == 0) {
            p->failed = true;
            return a;
        }
        int64_t rest = a.num % b.num;
        return reduce(p, rest != 0 && (rest < 0) != (b.num < 0) ? rest + b.num : rest, 1);
    }
    }
}

struct operator_word {
    const char *phrase;
    char op;
};

static const struct operator_word OPERATOR_WORDS[] = {
    {"plus", '+'},       {"minus", '-'}, {"times", '*'},  {"multiplied by", '*'}, {"x", '*'},
    {"divided by", '/'}, {"mod", '%'},   {"modulo", '%'}, {"is divided by", '/'},
};

/* The operator at `at`; '\0' when there is none. */
static char operator_at(const struct tokens *t, size_t at, size_t *ret_next)
{
    if (at >= t->count)
        return '\0';
    const struct token *token = &t->items[at];
    *ret_next = at + 1;
    if (token->type == TOKEN_SIGN) {
        char sign = token->text.ptr[0];
        return sign == '+' || sign == '-' || sign == '*' || sign == '/' || sign == '%' ? sign
                                                                                       : '\0';
    }
    for (size_t i = 0; i < sizeof(OPERATOR_WORDS) / sizeof(OPERATOR_WORDS[0]); i++) {
        size_t next = tokens_match(t, at, OPERATOR_WORDS[i].phrase);
        if (next > 0) {
            *ret_next = next;
            return OPERATOR_WORDS[i].op;
        }
    }
    return '\0';
}

static struct fraction parse_sum(struct parser *p);

/* A number, a minus before an atom, or a sum in brackets. The depth is counted here, around all three, because every
 * recursion of the parser goes through this function. */
static struct fraction parse_atom(struct parser *p)
{
    const struct tokens *t = p->tokens;
    struct fraction value = {0, 1};
    if (p->failed || p->at >= t->count || p->depth >= EXPRESSION_DEPTH_MAX) {
        p->failed = true;
        return value;
    }
    const struct token *token = &t->items[p->at];
    p->depth++;
    if (token->type == TOKEN_NUMBER) {
        p->at++;
        value = reduce(p, token->value, token->scale);
    } else if (token_is_sign(token, '-')) {
        p->at++;
        value = parse_atom(p);
        value.num = -value.num;
    } else if (token_is_sign(token, '(')) {
        p->at++;
        value = parse_sum(p);
        if (p->at >= t->count || !token_is_sign(&t->items[p->at], ')'))
            p->failed = true;
        p->at++;
    } else {
        p->failed = true;
    }
    p->depth--;
    return value;
}

/* An operator with nothing behind it ends the expression instead of failing it ("what is 3 + 4 / ?"). */
static bool operand_follows(const struct tokens *t, size_t at)
{
    return at < t->count &&
           (t->items[at].type == TOKEN_NUMBER || token_is_sign(&t->items[at], '(') ||
            token_is_sign(&t->items[at], '-'));
}

static struct fraction parse_product(struct parser *p)
{
    struct fraction left = parse_atom(p);
    size_t next = 0;
    for (;;) {
        char op = p->failed ? '\0' : operator_at(p->tokens, p->at, &next);
        if ((op != '*' && op != '/' && op != '%') || !operand_follows(p->tokens, next))
            return left;
        p->at = next;
        struct fraction right = parse_atom(p);
        left = apply(p, op, left, right);
    }
}

static struct fraction parse_sum(struct parser *p)
{
    struct fraction left = parse_product(p);
    size_t next = 0;
    for (;;) {
        char op = p->failed ? '\0' : operator_at(p->tokens, p->at, &next);
        if ((op != '+' && op != '-') || !operand_follows(p->tokens, next))
            return left;
        p->at = next;
        struct fraction right = parse_product(p);
        left = apply(p, op, left, right);
    }
}

static void format_fraction(struct fraction f, char *into, size_t size)
{
    if (f.den == 1) {
        snprintf(into, size, "%lld", (long long)f.num);
        return;
    }
    int n = snprintf(into, size, "%.*f", FRACTION_DIGITS, (double)f.num / (double)f.den);
    while (n > 1 && into[n - 1] == '0')
        into[--n] = '\0';
    if (n > 1 && into[n - 1] == '.')
        into[n - 1] = '\0';
}

/* The text between two tokens, as the person wrote it (lower-cased). */
static struct str span(const struct tokens *t, size_t from, size_t to)
{
    const char *start = t->items[from].text.ptr;
    const struct token *last = &t->items[to - 1];
    return (struct str){start, (size_t)(last->text.ptr + last->text.len - start)};
}

static void finish(const struct parser *p, struct fraction value, struct str working,
                   struct solution *ret)
{
    ret->skill = SKILL_ARITHMETIC;
    ret->form = FORM_NUMBER;
    ret->size = p->digits;
    format_fraction(value, ret->answer, sizeof(ret->answer));
    snprintf(ret->because, sizeof(ret->because), "%.*s = %s",
             (int)(working.len > 200 ? 200 : working.len), working.ptr, ret->answer);
}

/* The longest expression with an operator anywhere in the question. */
static bool solve_expression(const struct tokens *t, struct solution *ret)
{
    struct parser best = {.tokens = t};
    struct fraction best_value = {0, 1};
    size_t best_from = 0;
    for (size_t from = 0; from < t->count; from++) {
        struct parser p = {.tokens = t, .at = from};
        struct fraction value = parse_sum(&p);
        if (!p.failed && p.operators > 0 && p.at - from > best.at - best_from) {
            best = p;
            best_value = value;
            best_from = from;
        }
    }
    if (best.operators == 0)
        return false;
    finish(&best, best_value, span(t, best_from, best.at), ret);
    return true;
}

struct named_form {
    const char *head, *middle; /* HEAD a MIDDLE b */
    char op;
    bool swapped; /* "subtract a from b" */
};

static const struct named_form NAMED_FORMS[] = {
    {"sum of", "and", '+', false},
    {"difference between", "and", '-', false},
    {"product of", "and", '*', false},
    {"quotient of", "and", '/', false},
    {"remainder when", "is divided by", '%', false},
    {"remainder of", "divided by", '%', false},
    {"add", "to", '+', true},
    {"add", "and", '+', false},
    {"subtract", "from", '-', true},
    {"multiply", "by", '*', false},
    {"multiply", "and", '*', false},
    {"divide", "by", '/', false},
    {"", "percent of", 'p', false},
};

/* One number, possibly negative, at p->at. */
static struct fraction parse_number(struct parser *p)
{
    const struct tokens *t = p->tokens;
    bool negative = p->at < t->count && token_is_sign(&t->items[p->at], '-');
    p->at += negative;
    if (p->at >= t->count || t->items[p->at].type != TOKEN_NUMBER) {
        p->failed = true;
        return (struct fraction){0, 1};
    }
    const struct token *token = &t->items[p->at++];
    return reduce(p, negative ? -token->value : token->value, token->scale);
}

/* Reads HEAD a MIDDLE b and applies the form's operation. Each step is only tried when the one before has understood
 * its part, so it reads as one list of conditions. */
static bool solve_named_at(const struct tokens *t, size_t at, const struct named_form *form,
                           struct solution *ret)
{
    struct parser p = {.tokens = t, .at = at};
    if (form->head[0] != '\0')
        p.at = tokens_match(t, at, form->head);
    if (p.at == 0 && form->head[0] != '\0')
        return false;
    struct fraction a = parse_number(&p);
    size_t next = p.failed ? 0 : tokens_match(t, p.at, form->middle);
    if (next == 0)
        return false;
    p.at = next;
    struct fraction b = parse_number(&p);
    if (p.failed)
        return false;
    struct fraction value;
    if (form->op == 'p') {
        value = apply(&p, '*', a, b);
        value = p.failed ? value : apply(&p, '/', value, (struct fraction){100, 1});
    } else {
        value = form->swapped ? apply(&p, form->op, b, a) : apply(&p, form->op, a, b);
    }
    if (p.failed)
        return false;
    finish(&p, value, span(t, at, p.at), ret);
    return true;
}

static bool solve_named(const struct tokens *t, struct solution *ret)
{
    for (size_t at = 0; at < t->count; at++)
        for (size_t f = 0; f < sizeof(NAMED_FORMS) / sizeof(NAMED_FORMS[0]); f++)
            if (solve_named_at(t, at, &NAMED_FORMS[f], ret))
                return true;
    return false;
}

bool solve_arithmetic(const struct tokens *t, struct solution *ret)
{
    return solve_named(t, ret) || solve_expression(t, ret);
}
