/* A PostgreSQL server for a test: in a folder of its own, reached by a socket there, started and stopped at will. Uses
 * what Debian's package `postgresql` installs; as root it runs as the user `postgres`. */
#pragma once

void postgres_test_begin(void); /* makes the cluster and starts it */
void postgres_test_end(void);   /* kills it and removes everything */
void postgres_test_stop(void);  /* as a crash does */
void postgres_test_start(void);
const char *postgres_test_url(void);
/* Runs a statement as its superuser. */
void postgres_test_run(const char *sql);
