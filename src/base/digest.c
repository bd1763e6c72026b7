/* SHA-256 over libcrypto. The algorithm is looked up once: a look-up costs more than the digest of a short text. */
#include "base/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define FILE_PIECE_BYTES ((size_t)1 << 18)

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

enum status digest_sha256(struct str bytes, struct digest *ret, struct error *err)
{
    struct digest d;
    unsigned len = 0;
    pthread_once(&fetched, fetch);
    if (!sha256 || EVP_Digest(bytes.ptr, bytes.len, d.bytes, &len, sha256, NULL) != 1 ||
        len != DIGEST_BYTES)
        return error_set(err, ERR_MEMORY, "libcrypto cannot make a SHA-256 digest");
    *ret = d;
    return OK;
}

static enum status digest_pieces(EVP_MD_CTX *context, int fd, char *piece, struct digest *ret,
                                 struct error *err)
{
    off_t at = 0;
    unsigned len = 0;
    bool ok = EVP_DigestInit_ex2(context, sha256, NULL) == 1;
    while (ok) {
        ssize_t n = pread(fd, piece, FILE_PIECE_BYTES, at);
        if (n < 0 && errno != EINTR)
            return error_set_errno(err, ERR_IO, errno, "cannot read the file");
        if (n == 0)
            break;
        if (n > 0) {
            ok = EVP_DigestUpdate(context, piece, (size_t)n) == 1;
            at += n;
        }
    }
    if (!ok || EVP_DigestFinal_ex(context, ret->bytes, &len) != 1 || len != DIGEST_BYTES)
        return error_set(err, ERR_MEMORY, "libcrypto cannot make a SHA-256 digest");
    return OK;
}

enum status digest_sha256_file(int fd, struct digest *ret, struct error *err)
{
    struct digest d;
    pthread_once(&fetched, fetch);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    char *piece = malloc(FILE_PIECE_BYTES);
    enum status status = sha256 && context && piece ? digest_pieces(context, fd, piece, &d, err)
                                                    : error_set(err, ERR_MEMORY, "out of memory");
    EVP_MD_CTX_free(context);
    free(piece);
    if (status == OK)
        *ret = d;
    return status;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

void digest_hex(const struct digest *d, char into[DIGEST_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        into[2 * i] = digits[d->bytes[i] >> 4];
        into[2 * i + 1] = digits[d->bytes[i] & 15];
    }
    into[2 * DIGEST_BYTES] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum status digest_from_hex(struct str hex, struct digest *ret)
{
    struct digest d;
    if (hex.len != 2 * DIGEST_BYTES)
        return ERR_INPUT;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = hex_value(hex.ptr[2 * i]), low = hex_value(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return ERR_INPUT;
        d.bytes[i] = (unsigned char)(high << 4 | low);
    }
    *ret = d;
    return OK;
}

enum status digest_random(void *into, size_t len, struct error *err)
{
    unsigned char *at = into;
    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0 && errno != EINTR)
            return error_set_errno(err, ERR_IO, errno, "the kernel gives no random bytes");
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return OK;
}

void digest_write_base64url(struct buf *out, const unsigned char *bytes, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= have > 2 ? (uint32_t)bytes[i + 2] : 0;
        for (size_t k = 0; k <= have; k++)
            buf_add_char(out, letters[group >> (18 - 6 * k) & 63]);
    }
}
