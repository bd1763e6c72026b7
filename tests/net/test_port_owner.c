/* port_owner.h: this process is found by a port that it listens on; tables that are cut or foreign have no inode. */
#include "net/port_owner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "net/http_server.h"

static const char table[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1F90 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 11 "
    "1\n"
    "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22 "
    "1\n"
    "   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 33 "
    "1\n"
    "   3: 00000000000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 44 1\n";

Test(port_owner, listening_sockets_have_an_inode)
{
    cr_assert_eq(port_socket_find(str_from(table), 8080).inode, 22);
    cr_assert_eq(port_socket_find(str_from(table), 80).inode, 33);
    cr_assert_eq(port_socket_find(str_from(table), 80).uid, 1000);
    cr_assert_eq(port_socket_find(str_from(table), 443).inode, 44);
    cr_assert_eq(port_socket_find(str_from(table), 81).inode, 0);
    cr_assert_eq(port_socket_find(STR(""), 80).inode, 0);
}

Test(port_owner, a_table_that_is_cut)
{
    for (size_t n = 0; n < sizeof(table) - 1; n++) {
        char *cut = malloc(n + 1); /* of this size, so that reading past it is seen */
        memcpy(cut, table, n);
        uint64_t inode = port_socket_find((struct str){cut, n}, 443).inode;
        cr_assert(inode == 0 || inode == 4 || inode == 44, "%zu", n);
        free(cut);
    }
}

Test(port_owner, finds_this_process)
{
    int fd;
    char bound[64];
    struct port_owner owner = {0};
    struct error err = {0};
    cr_assert_eq(http_listen(":0", &fd, bound, NULL), OK);
    unsigned long port = strtoul(strrchr(bound, ':') + 1, NULL, 10);
    cr_assert(port_owner_find((uint16_t)port, &owner));
    cr_assert_eq(owner.pid, getpid());
    cr_assert_gt(strlen(owner.name), 0);
    cr_assert_eq(http_listen_try(bound, &err), ERR_IO);
    cr_assert_not_null(strstr(err.text, "taken by "), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "Address already in use"), "%s", err.text);
    close(fd);
    cr_assert(!port_owner_find((uint16_t)port, &owner));
    cr_assert_eq(http_listen_try(bound, &err), OK, "%s", err.text);
}
