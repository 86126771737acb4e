// Sockets on this machine only: debuggers and terminals connect to them.
#ifndef AI8XSIM_CLI_SOCKETS_H
#define AI8XSIM_CLI_SOCKETS_H

#include <stdint.h>

// Listens on 127.0.0.1; port 0 takes a free one, and *port becomes the one in use. -1: it cannot, errno says why.
int cli_listen(uint16_t *port);

#endif
