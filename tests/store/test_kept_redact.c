/* What is taken out of a text before it is kept, and what is not. */
#include "store/kept_redact.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(const char *text, const char *wanted)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    struct str got = kept_redact(str_from(text), &b);
    cr_assert_eq(b.status, OK);
    cr_expect(str_equal(got, str_from(wanted)), "'%s' became '%.*s', wanted '%s'", text,
              STR_FMT(got), wanted);
    buf_done(&b);
}

static void stays(const char *text)
{
    expect(text, text);
}

Test(kept_redact, addresses_and_numbers_of_people)
{
    expect("Write to jane.doe+x@mail.example.org, please.", "Write to [e-mail], please.");
    expect("<a_b%c@x.io>", "<[e-mail]>");
    expect("Call +49 30 123-4567 or (212) 555-0100.", "Call [phone] or [phone].");
    expect("212-555-0100 and 212.555.0100", "[phone] and [phone]");
    expect("card 4111 1111 1111 1111 ok", "card [card] ok");
    expect("5500005555555559!", "[card]!");
    expect("DE89 3702 0044 0532 0130 00 is mine", "DE89 3702 0044 0532 0130 00 is mine");
    expect("DE89 3704 0044 0532 0130 00 is mine", "[account] is mine");
    expect("GB82WEST12345698765432", "[account]");
    expect("SSN 123-45-6789.", "SSN [number].");
}

Test(kept_redact, secrets)
{
    expect("my key sk-proj-abcdefGHIJKL0123456789. Why?", "my key [secret]. Why?");
    expect("ghp_abcdefghijklmnopqrst1234", "[secret]");
    expect("AKIAIOSFODNN7EXAMPLE", "[secret]");
    expect("lr-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ", "[secret]");
    expect("Authorization: Bearer abcdefghij.klmnop", "Authorization: Bearer [secret]");
    expect("password: hunter2, user: bob", "password: [secret], user: bob");
    expect("\"api_key\": \"abc123def\"", "\"api_key\": \"[secret]\"");
    expect("PWD=topsecret\nnext", "PWD=[secret]\nnext");
    expect("postgres://bob:pa55@db.host/x", "postgres://[secret]@db.host/x");
    expect("x -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- y",
           "x [secret] y");
    expect("-----BEGIN PRIVATE KEY-----\nMII", "[secret]");
    expect("run 9f86d081884c7d659a2feaa0c55ad015 now", "run [secret] now");
    expect("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123-_x", "[secret]");
}

Test(kept_redact, questions_stay_as_they_are)
{
    stays("What is 3.14159 * 2718281828459046, to 10 digits?");
    stays("A train leaves at 10:30 and covers 120-150 km; 1234-5678?");
    stays("Is 4111 1111 1111 1112 divisible by 7? And 0000 0000 0000 0000?");
    stays("f(x) = x^2 + 1, token = next(it), user@localhost, a@b");
    stays("password: ok? The token: what is a token");
    stays("https://example.org/path?x=1@2 and C6H12O6, +1 + 2");
    stays("internationalization_of_the_very_long_identifier");
    stays("@@@@ :// :::: -----BEGIN CERTIFICATE----- ++++ ((((");
    stays("");
    stays("Größe: 5 µm — 東京の人口は?");
}

/* A million bytes of every kind of beginning take no time. */
Test(kept_redact, long_texts_of_beginnings, .timeout = 60)
{
    static const char *const pieces[] = {"a.",        "1 ",    "+1",          "sk-",
                                         "://a:",     "AB12 ", "-----BEGIN ", "bearer ",
                                         "password=", "a@a.",  "a-"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct buf text, out;
        buf_init(&text, 2 << 20);
        buf_init(&out, 32 << 20);
        while (text.len < 1u << 18)
            buf_add_c(&text, pieces[i]);
        (void)kept_redact(buf_str(&text), &out);
        cr_expect_eq(out.status, OK);
        buf_done(&text);
        buf_done(&out);
    }
}
