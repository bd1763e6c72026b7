/* A folder of its own for each test of store/, and a ledger in it. */
#pragma once

#include <criterion/criterion.h>

#include "store/ledger.h"

#define STORE_TEST_PATH_BYTES 160

void store_test_begin(void); /* makes the folder */
void store_test_end(void);   /* removes it with all files in it */
/* The path of a file in it; valid until the test ends. */
const char *store_test_path(const char *name);
/* A ledger in l.sqlite, by way of l.journal. */
struct ledger *store_test_open(void);

/* A request that began and one that ended: plausible figures, made from `number`. */
struct ledger_request store_test_request(const char *id, unsigned number);
void store_test_say_begin(struct ledger *l, const char *id, unsigned number);
void store_test_say_end(struct ledger *l, const char *id, unsigned number, const char *outcome);
/* The figures that store_test_say_end gives. */
int64_t store_test_cost(unsigned number);
