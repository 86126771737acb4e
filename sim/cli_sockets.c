// Sockets on this machine only (see cli_sockets.h).
#include "cli_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int cli_listen(uint16_t *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	const int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0)
		return -1;
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	(void)fcntl(listener, F_SETFD, FD_CLOEXEC);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
		const int why = errno;
		(void)close(listener);
		errno = why;
		return -1;
	}
	*port = ntohs(address.sin_port);
	return listener;
}
