/* Who makes a request, found out once at the door (gateway.c) and asked again on every hop. Lives in the exchange's
 * arena. */
#pragma once

struct client_key;

struct caller {
    struct client_key *key; /* NULL: nobody is asked for keys */
};
