/* Digests against the published vectors, random bytes, and the alphabet of secrets. */
#include "base/digest.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *hex_of(struct str text)
{
    static char hex[DIGEST_HEX_BYTES];
    struct digest d;
    cr_assert_eq(digest_sha256(text, &d, NULL), OK);
    digest_hex(&d, hex);
    return hex;
}

/* FIPS 180-2, appendix B, and the empty text. */
Test(digest, sha256_of_the_published_texts)
{
    cr_expect_str_eq(hex_of(STR("")),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_expect_str_eq(hex_of(STR("abc")),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_expect_str_eq(hex_of(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(digest, hex_reads_back_and_nothing_else_does)
{
    struct digest a, b;
    char hex[DIGEST_HEX_BYTES];
    cr_assert_eq(digest_sha256(STR("abc"), &a, NULL), OK);
    digest_hex(&a, hex);
    cr_assert_eq(digest_from_hex(str_from(hex), &b), OK);
    cr_expect(digest_equal(&a, &b));
    cr_expect_eq(digest_from_hex(STR("ba78"), &b), ERR_INPUT);
    hex[5] = 'G';
    cr_expect_eq(digest_from_hex(str_from(hex), &b), ERR_INPUT);
    hex[5] = 'A';
    cr_expect_eq(digest_from_hex(str_from(hex), &b), ERR_INPUT, "upper case is another spelling");
    cr_expect(digest_equal(&a, &b), "an output that failed is untouched");
}

Test(digest, every_byte_counts_in_a_comparison)
{
    struct digest a, b;
    cr_assert_eq(digest_sha256(STR("x"), &a, NULL), OK);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        b = a;
        b.bytes[i] ^= 1;
        cr_expect_not(digest_equal(&a, &b), "byte %zu", i);
    }
}

Test(digest, random_bytes_differ)
{
    unsigned char a[64] = {0}, b[64] = {0}, zero[64] = {0};
    cr_assert_eq(digest_random(a, sizeof(a), NULL), OK);
    cr_assert_eq(digest_random(b, sizeof(b), NULL), OK);
    cr_expect(memcmp(a, b, sizeof(a)) != 0);
    cr_expect(memcmp(a + 32, zero, 32) != 0, "all of it is filled");
}

/* RFC 4648, section 10, in the alphabet of section 5 and without padding. */
Test(digest, base64url)
{
    static const struct {
        const char *bytes, *text;
    } rows[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf b;
        buf_init(&b, 64);
        digest_write_base64url(&b, (const unsigned char *)rows[i].bytes, strlen(rows[i].bytes));
        cr_expect_eq(b.len, strlen(rows[i].text));
        cr_expect_str_eq(b.ptr ? b.ptr : "", rows[i].text);
        buf_done(&b);
    }
}

Test(digest, a_files_digest_is_that_of_its_bytes)
{
    static char bytes[700000]; /* some pieces, and a part of one */
    struct digest whole, file;
    FILE *f = tmpfile();
    cr_assert_not_null(f);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7 % 251);
    cr_assert_eq(fwrite(bytes, 1, sizeof(bytes), f), sizeof(bytes));
    cr_assert_eq(fflush(f), 0);
    cr_assert_eq(digest_sha256((struct str){bytes, sizeof(bytes)}, &whole, NULL), OK);
    cr_assert_eq(digest_sha256_file(fileno(f), &file, NULL), OK);
    cr_expect(digest_equal(&whole, &file));
    fclose(f);
    cr_expect_eq(digest_sha256_file(-1, &file, NULL), ERR_IO);
}
