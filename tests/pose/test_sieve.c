/* What is held back: the same and like questions, and protected ones; and what is not. */
#include "pose/sieve.h"

#include "posing.h"

static struct sieve *new_sieve(void)
{
    struct sieve *s = NULL;
    cr_assert_eq(sieve_create(1, &s, NULL), OK);
    return s;
}

static struct query question(const char *id, const char *text)
{
    struct query q = {.id = str_from(id), .text = str_from(text)};
    q.prompt = q.text;
    q.text_hash = text_hash(q.text);
    return q;
}

static struct sieve_verdict look(struct sieve *s, const char *text, enum sieve_rule rule)
{
    struct query q = question("new", text);
    struct sieve_verdict v;
    cr_assert_eq(sieve_look(s, &q, rule, &v, NULL), OK);
    return v;
}

static void add(struct sieve *s, const char *id, const char *text)
{
    struct query q = question(id, text);
    cr_assert_eq(sieve_add(s, &q, NULL), OK);
}

static void protect(struct sieve *s, const char *id, const char *text)
{
    struct query q = question(id, text);
    cr_assert_eq(sieve_protect_query(s, &q, NULL), OK);
}

Test(sieve, duplicates)
{
    struct sieve *s = new_sieve();
    add(s, "g1-1", "Which planet of the solar system has the largest mass of all?");
    struct sieve_verdict v =
        look(s, "which  planet of the Solar System has the LARGEST mass of all?", SIEVE_EXACT);
    cr_assert(v.held);
    cr_assert_eq(v.reason, DROP_DUPLICATE);
    cr_assert_str_eq(v.why, "the text of 'g1-1'");
    const char *like = "Which planet of our solar system has the largest mass of all?";
    v = look(s, like, SIEVE_STRICT);
    cr_assert(v.held);
    cr_assert_eq(v.reason, DROP_DUPLICATE);
    cr_assert(!strncmp(v.why, "like 'g1-1' (0.", 15), "%s", v.why);
    cr_assert_not(look(s, like, SIEVE_LIKE).held, "somebody may have both");
    cr_assert_not(look(s, like, SIEVE_EXACT).held);
    cr_assert(
        look(s, "Which planet of the solar system has the largest mass of all", SIEVE_LIKE).held);
    cr_assert_not(look(s, "Which planet has the most moons?", SIEVE_STRICT).held);
    add(s, "an id of more than forty bytes, cut in \xc3\xa9", "How long is a piece of string?");
    v = look(s, "How long is a piece of string?", SIEVE_EXACT);
    cr_assert_str_eq(v.why, "the text of 'an id of more than forty bytes, cut in '");
    sieve_free(s);
}

Test(sieve, short_texts_are_counted_and_not_estimated)
{
    struct query niger = question("q1", "What is the capital of Niger?");
    struct query nigeria = question("q2", "What is the capital of Nigeria?");
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct sieve *s;
        struct sieve_verdict v;
        cr_assert_eq(sieve_create(seed, &s, NULL), OK);
        cr_assert_eq(sieve_add(s, &niger, NULL), OK);
        cr_assert_eq(sieve_look(s, &nigeria, SIEVE_LIKE, &v, NULL), OK);
        cr_expect_not(v.held, "seed %d: %s", (int)seed, v.why);
        sieve_free(s);
    }
}

Test(sieve, other_numbers_make_another_question_but_no_less_protected)
{
    struct sieve *s = new_sieve();
    const char *asked = "A train travels 120 km in 3 hours. What is its mean speed in km per hour?";
    const char *other = "A train travels 150 km in 3 hours. What is its mean speed in km per hour?";
    add(s, "q1", asked);
    cr_assert_not(look(s, other, SIEVE_LIKE).held);
    cr_assert_eq(look(s, other, SIEVE_STRICT).reason, DROP_DUPLICATE,
                 "one template of a generator");
    protect(s, "p1", asked);
    struct sieve_verdict v = look(s, other, SIEVE_LIKE);
    cr_assert(v.held);
    cr_assert_eq(v.reason, DROP_CONTAMINATED);
    cr_assert_not(look(s, other, SIEVE_EXACT).held);
    cr_assert(look(s, asked, SIEVE_EXACT).held);
    sieve_free(s);
}

Test(sieve, protected_words_in_a_row)
{
    struct sieve *s = new_sieve();
    protect(s, "p1",
            "The committee met on Tuesday because the chair, who had been ill, could not attend on "
            "Monday as planned.");
    struct sieve_verdict v =
        look(s,
             "A story from the harbour. Long ago a boat was late and nobody knew why it was so. "
             "\"The chair, WHO "
             "had been ill, could not attend on Monday as planned\", they said. Which day was it "
             "then, and "
             "what did the captain, the cook, the mate and the passengers have to say about that?",
             SIEVE_LIKE);
    cr_assert(v.held);
    cr_assert_eq(v.reason, DROP_CONTAMINATED);
    cr_assert(strstr(v.why, "in a row"), "%s", v.why);
    v = look(s, "The chair, who had been ill, could not attend. Why did the others go on without?",
             SIEVE_LIKE);
    cr_assert_not(v.held, "eight words in a row are not thirteen: %s", v.why);
    sieve_free(s);
}

Test(sieve, protected_goes_before_duplicate_and_counts)
{
    struct sieve *s = new_sieve();
    add(s, "q1", "What is the capital of France?");
    protect(s, "p1", "What is the capital of France?");
    protect(s, "p2", "What is the capital of Spain?");
    cr_assert_eq(sieve_protected(s), 2);
    cr_assert_eq(look(s, "What is the capital of France?", SIEVE_LIKE).reason, DROP_CONTAMINATED);
    cr_assert(sieve_has(s, text_hash(STR("what is the capital of france?"))));
    cr_assert_not(sieve_has(s, text_hash(STR("What is the capital of Spain?"))));
    sieve_free(s);
}

Test(sieve, choices_count_and_their_order_does_not)
{
    static const struct str one[] = {STR_INIT("the mitochondria of the cell"),
                                     STR_INIT("the ribosomes in the cytoplasm"),
                                     STR_INIT("the walls of plants")};
    static const struct str turned[] = {STR_INIT("the walls of plants"),
                                        STR_INIT("the mitochondria of the cell"),
                                        STR_INIT("the ribosomes in the cytoplasm")};
    static const struct str others[] = {STR_INIT("Cromwell was right about it"),
                                        STR_INIT("Newton took the opposite view"),
                                        STR_INIT("nobody at court knew")};
    struct sieve *s = new_sieve();
    struct query q = question("a", "Which of these is true, then?");
    struct sieve_verdict v;
    q.choices = one;
    q.choice_count = 3;
    cr_assert_eq(sieve_add(s, &q, NULL), OK);
    q.text = STR("Which of these is true?");
    q.text_hash = text_hash(q.text);
    q.choices = turned;
    cr_assert_eq(sieve_look(s, &q, SIEVE_STRICT, &v, NULL), OK);
    cr_assert(v.held);
    q.choices = others;
    cr_assert_eq(sieve_look(s, &q, SIEVE_STRICT, &v, NULL), OK);
    cr_assert_not(v.held, "%s", v.why);
    sieve_free(s);
}

Test(sieve, many_grow)
{
    struct sieve *s = new_sieve();
    char text[100];
    for (int i = 0; i < 3000; i++) {
        snprintf(text, sizeof(text), "%x%x is the word number %d of a list, what is it?", i * 7919,
                 i * 104729, i);
        add(s, "n", text);
    }
    cr_assert(look(s, text, SIEVE_LIKE).held);
    sieve_free(s);
}
