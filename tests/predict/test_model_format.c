/* The checksum of model files. */
#include "predict/model_format.h"

#include <string.h>

#include <criterion/criterion.h>

Test(model_format, the_checksum_is_of_all_but_its_digits)
{
    const char header[] = "{\"checksum\":\"0000000000000000\",\"x\":\"y\"}";
    char copy[sizeof(header)];
    struct str data = STR("some data");
    memcpy(copy, header, sizeof(header));
    struct str text = {copy, sizeof(header) - 1};
    uint64_t sum = model_file_checksum(text, copy + 13, data);
    memset(copy + 13, 'f', CHECKSUM_DIGITS);
    cr_assert_eq(model_file_checksum(text, copy + 13, data), sum);
    copy[13 + CHECKSUM_DIGITS] ^= 1;
    cr_assert_neq(model_file_checksum(text, copy + 13, data), sum);
    copy[13 + CHECKSUM_DIGITS] ^= 1;
    copy[0] ^= 1;
    cr_assert_neq(model_file_checksum(text, copy + 13, data), sum);
    copy[0] ^= 1;
    cr_assert_neq(model_file_checksum(text, copy + 13, STR("some dato")), sum);
}
