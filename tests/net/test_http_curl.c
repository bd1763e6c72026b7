/* The tests of outgoing calls once more, all by way of curl; a suite needs another name, and so does what it is named
 * after. */
#define http_client http_curl
#define ONLY_CURL   true
#include "test_http_client.c"
