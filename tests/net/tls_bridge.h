/* In the program test_net_tls every test_server speaks TLS, and test_connect gives one end of a bridge: a thread
 * that turns the plain bytes of the test into records and back. So all tests of the HTTP server hold with TLS, too. */
#pragma once

struct tls_context;

/* One for the process. */
struct tls_context *bridge_context(void);
/* Takes a connected socket and gives the plain end; ends and resets are passed on. */
int bridge_open(int fd);
void bridge_stop(void); /* all; what they had on the way is lost */
